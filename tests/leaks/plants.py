"""Leaks to plant: changes of the product that each let a reader learn of something hidden.

A leak is put into the code of a function while a drill runs. The text it replaces must stand
there exactly once: a leak that no longer fits the code is an error and not a leak.
"""

import builtins
import dis
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import CodeType, FunctionType
from typing import Any, NamedTuple, cast

from kintung.store import persons as persons_rules
from kintung.store import scribe
from kintung.store.sql import history, idempotency, keyed, known, linking, opened, persons, visibility
from kintung.store.sql.search import (
    compartments,
    conditions,
    date_order,
    inclusion,
    matches,
    searcher,
    statements,
)
from kintung.store.sql.view import SqlView
from kintung.subscriptions import delivery
from kintung.web import cursor
from kintung.web.fhir import conditional, deposit, match, read, transaction, vread
from kintung.web.pages.find import records as found_records


class Edit(NamedTuple):
    """One change of one function."""

    function: Callable[..., Any]
    old: str
    new: str


class Leak(NamedTuple):
    """What leaks, and the changes that make it."""

    name: str
    edits: tuple[Edit, ...]


SIGHTED = "who.__class__(who.reader.everything(), True, 0)"
"""A StoredReader that sees all, made of ``who``."""
ASKED_SIGHTED = "replace(asked, who=asked.who.__class__(asked.who.reader.everything(), True, 0))"
"""The page that is asked for, asked by who sees all."""
ALL = "self._names.stored(self._db, reader.everything())"
HIDDEN_NOT_FOUND = 'raise NotFound(f"{request.type}/{request.id} is not known.") from None'

_ON_INCLUDE = Edit(inclusion._led_to, "db = lookups.db", f"db = lookups.db; who = {SIGHTED}")
_ON_REVINCLUDE = Edit(inclusion._leading_here, "by_target = every(", f"who = {SIGHTED}; by_target = every(")
_ON_MATCHES = Edit(matches.matches, 'visible(asked.who, "r"), *', "*")


def leak(name: str, function: Callable[..., Any], old: str, new: str) -> Leak:
    return Leak(name, (Edit(function, old, new),))


LEAKS = (
    # The reader's predicate left out of one alias.
    Leak("search without the reader", (_ON_MATCHES,)),
    leak(
        "total without the reader",
        statements.total,
        "plan = plan_of(",
        f"who = {SIGHTED}; plan = plan_of(",
    ),
    leak(
        "total from the index for everybody", statements.total, "if who.reader.sees_all and plan", "if plan"
    ),
    leak(
        "total of candidates without the reader",
        statements.total,
        "Asked(who,",
        f"Asked(who if plan.name != 'candidates' else {SIGHTED},",
    ),
    leak(
        "pages after the first without the reader",
        searcher.Searcher.rows,
        "plan = self.plan(",
        f"asked = asked if asked.after is None else {ASKED_SIGHTED}; plan = self.plan(",
    ),
    Leak(
        "the reader after the limit",
        (
            _ON_MATCHES,
            Edit(
                SqlView._page,
                "self._opened(rows[:count])",
                "(v for v in self._opened(rows[:count]) if self.current(asked.who.reader, *v[:2]))",
            ),
        ),
    ),
    leak(
        "texts read without the reader",
        SqlView._page_in_bodies,
        "self._candidates(searcher, asked)",
        f"self._candidates(searcher, {ASKED_SIGHTED})",
    ),
    leak(
        "search in order of a date without the reader",
        date_order.dated_page,
        'visible(asked.who, "r"), *',
        "*",
    ),
    leak(
        "a walk that ends where it was to go on",
        searcher.Searcher._walked,
        "if len(rows) == asked.limit or self._was_all(asked, plan, far):",
        "if rows:",
    ),
    Leak("_include without the reader", (_ON_INCLUDE,)),
    Leak("_revinclude without the reader", (_ON_REVINCLUDE,)),
    Leak(
        "includes go on from the hidden",
        (
            _ON_INCLUDE,
            _ON_REVINCLUDE,
            Edit(
                SqlView.search,
                "self._opened(included)",
                "(v for v in self._opened(included) if self.current(reader, *v[:2]))",
            ),
        ),
    ),
    leak(
        "everything that the hidden leads to",
        compartments.keys_of_everything,
        'visible(who, "c"), ',
        "",
    ),
    leak("the end of a chain without the reader", conditions._meeting, '    visible(who, "r"),\n', ""),
    leak("the end of a chain from the index for everybody", conditions._end, "who.reader.sees_all and ", ""),
    leak(
        "read without the reader",
        SqlView._find,
        'visible(self._names.stored(self._db, reader), "r")',
        "every()",
    ),
    leak(
        "vread without the owners of its version",
        SqlView.vread,
        'visible(who, "v", labels_of="r")',
        "every()",
    ),
    leak("vread without the owners of now", SqlView.vread, 'visible(who, "r"), ', ""),
    leak(
        "history without the owners of each version",
        SqlView.history,
        'visible(who, "v", labels_of="r")',
        "every()",
    ),
    leak("history without the owners of now", SqlView.history, 'visible(who, "r"), ', ""),
    leak(
        "history with a total of all",
        SqlView.history,
        'WHERE {where.text}"',
        'WHERE {every(walk.scope, span).text}"; where = every(walk.scope, span)',
    ),
    leak(
        "history with a total of the log",
        SqlView.history,
        "counted = self._db.rows",
        "counted = last; self._db.rows",
    ),
    leak(
        "history at a time of versions the hidden ones replaced",
        history._still_current,
        'visible(who, "n", labels_of="r")',
        "ALWAYS",
    ),
    # The predicate itself.
    Leak(
        "one owner of several is enough",
        (
            Edit(visibility._several, "{inside.text} = 0", "{inside.text} = 1"),
            Edit(visibility._several, "THEN 0 ELSE 1", "THEN 1 ELSE 0"),
        ),
    ),
    leak("labels are passed over", visibility._unlabelled, "if who.hidden else", "if False else"),
    leak(
        "an organisation sees the data of others", visibility._organisation, "THEN 1 ELSE 0", "THEN 1 ELSE 1"
    ),
    leak("every person is in the scope", visibility._person, "({probe}), 0)", "({probe}), 1)"),
    # What exists.
    leak(
        "404 of what is hidden says so",
        read.read,
        HIDDEN_NOT_FOUND,
        'raise NotFound("hidden" if view.owners_of(request.type, request.id) else "absent") from None',
    ),
    leak(
        "404 of what is hidden points at it",
        vread.vread,
        'raise NotFound(f"{address} is not known.") from None',
        "raise NotFound(address, path=view.owners_of(request.type, request.id) and 'hidden') from None",
    ),
    leak(
        "410 of what was deleted out of sight",
        SqlView.read,
        "if row is None:\n",
        "if row is None:\n"
        "        found = self.current(reader.everything(), type, id)\n"
        "        if found is not None and found.deleted:\n"
        "            raise deleted(type, id)\n",
    ),
    leak(
        "history of what is hidden is empty",
        SqlView.history,
        'if id is not None and self.current(reader, type or "", id) is None:',
        'if id is not None and self.owners_of(type or "", id) is None:',
    ),
    # Writing.
    leak(
        "conditional writes match all",
        deposit._find_by_criteria,
        "view.match(access.sight,",
        "view.match(access.sight.everything(),",
    ),
    leak(
        "conditional references match all",
        conditional.After._in_record,
        "self._view.match(self._sight,",
        "self._view.match(self._sight.everything(),",
    ),
    leak("the store matches all", SqlView.match, "self._names.stored(self._db, reader)", ALL),
    leak(
        "who bears a number without the reader", SqlView.bearing, "self._names.stored(self._db, reader)", ALL
    ),
    leak("who shares keys without the reader", keyed.of_term, ', visible(who, "r"))', ")"),
    leak(
        "writes find the hidden",
        deposit.find,
        "view.current(access.reader, step.type, step.id)",
        "view.current(access.reader.everything(), step.type, step.id)",
    ),
    leak(
        "an id in use is in conflict",
        deposit._find_free,
        "view.current(access.reader, step.type, id) if Right.PLACE in access.rights else None",
        "view.current(access.reader.everything(), step.type, id)",
    ),
    leak("owners come from the hidden", scribe._sources, "if tells and", "if False and"),
    leak(
        "owners of what comes later are left out",
        transaction._in_writing_order,
        "return ordered",
        "return list(entries)",
    ),
    leak("an update moves a resource", scribe._refuse_move, "if one_person and", "if False and"),
    leak("keys of all clients are one", idempotency._place, "(idempotency.client, ", '("", '),
    # Persons.
    leak(
        "probable links reach",
        persons_rules.persons_of,
        "for link in links if link.is_linked",
        "for link in links if link.is_linked or link.found is LinkKind.PROBABLE",
    ),
    leak(
        "an un-merge leaves the reach",
        linking.Linking._expand,
        "for key in held - ids",
        "for key in ids - ids",
    ),
    leak(
        "a denial is of one record alone",
        persons_rules.expanded,
        "any(patient in denied for patient in person)",
        "all(patient in denied for patient in person)",
    ),
    leak("records of a person without the reader", persons.members, 'visible(who, "r")', "every()"),
    leak("what is known without the reader", known.as_it_is, 'visible(who, "r")', "every()"),
    leak(
        "what was known without the reader",
        known.as_it_was,
        'seen = visible(who, "n"',
        f'who = {SIGHTED}; seen = visible(who, "n"',
    ),
    leak("a queue without the reader", persons.queued, 'visible(who, f"r{x}")', "every()"),
    leak("links without the reader", persons._seen, ', visible(who, "ra"), visible(who, "rb")', ""),
    # Cursors.
    leak(
        "a stranger is told of who is probable",
        match._of_one_person,
        "if found.match.result is Result.CERTAIN]",
        "]",
    ),
    leak(
        "a stranger is told of one of several",
        match._of_one_person,
        "if all(found.version.id in person for found in certain)",
        "if person",
    ),
    leak("an id goes across a border", match._to_stranger, "if not stranger.is_told_id:", "if False:"),
    leak("a cursor is anybody's", cursor.Cursors.open, "found.reader != reader or ", ""),
    leak(
        "a cursor tells how long the log is",
        cursor._fixed,
        "to_bytes(8)",
        "to_bytes(sequence.bit_length() // 8 + 1)",
    ),
    leak(
        "find a person without the reader",
        found_records.records,
        "view.search(reader, query(typed), paging)",
        "view.search(reader.everything(), query(typed), paging)",
    ),
    leak("what was opened without the reader", opened.page, ', visible(who, "r")', ""),
    leak(
        "what was opened is read by all of it",
        SqlView.opened,
        "self._names.stored(self._db, reader)",
        ALL,
    ),
)

LEAKS_TOLD = (
    leak("told by the sight of the node", delivery.Delivery._reader, "access.sight", "Reader.everything()"),
    Leak(
        "a deletion out of sight is told",
        (
            Edit(delivery.Delivery._seen_deleted, "vread(reader,", "vread(Reader.everything(),"),
            Edit(
                delivery.Delivery._seen_deleted,
                "version_of(view, reader,",
                "version_of(view, Reader.everything(),",
            ),
        ),
    ),
    Leak(
        "a link out of sight is told",
        (
            Edit(delivery.Delivery._seen_link, "view.link(reader,", "view.link(Reader.everything(),"),
            Edit(delivery.Delivery._seen_link, "last_of(view, reader,", "last_of(view, Reader.everything(),"),
        ),
    ),
    leak(
        "events are numbered before they are seen",
        delivery.Delivery._tell,
        "if self._seen(wanted, access, taken.notice) is None:",
        "if self._notices.give_number(self._told.system, taken)"
        " and self._seen(wanted, access, taken.notice) is None:",
    ),
)
"""Those of what subscribers are sent, which no request asks for."""


_SOURCES = {
    function: textwrap.dedent(inspect.getsource(function))
    for function in {
        cast(FunctionType, edit.function) for leak in (*LEAKS, *LEAKS_TOLD) for edit in leak.edits
    }
}
"""As they were loaded: the file of a module may change while its tests run."""


@contextmanager
def planted(leak: Leak) -> Iterator[None]:
    """The product with a leak in it."""
    by_function: dict[FunctionType, list[Edit]] = {}
    for edit in leak.edits:
        by_function.setdefault(cast(FunctionType, edit.function), []).append(edit)
    with ExitStack() as stack:
        for function, edits in by_function.items():
            stack.callback(setattr, function, "__code__", function.__code__)
            function.__code__ = _edited(function, edits)
        yield


def _edited(function: FunctionType, edits: Iterable[Edit]) -> CodeType:
    """The code of a function with texts in its source replaced.

    Raises:
        AssertionError: a text does not stand there once, or a name in its place is not known:
            a leak that crashes tells a reader nothing.
    """
    source = _SOURCES[function]
    for edit in edits:
        times = source.count(edit.old)
        assert times == 1, f"{edit.old!r} stands {times} times in {function.__qualname__}; plant it anew"
        source = source.replace(edit.old, edit.new)
    made: dict[str, Any] = {}
    exec(compile(source, f"<planted in {function.__qualname__}>", "exec"), function.__globals__, made)
    code: CodeType = made[function.__name__].__code__
    unknown = _globals_of(code) - function.__globals__.keys() - vars(builtins).keys()
    assert not unknown, f"{function.__qualname__} does not know {unknown}; plant it anew"
    return code


def _globals_of(code: CodeType) -> set[str]:
    """The names that a code, and what is defined in it, looks for outside itself."""
    inner = (_globals_of(each) for each in code.co_consts if isinstance(each, CodeType))
    own = {str(step.argval) for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    return own.union(*inner)
