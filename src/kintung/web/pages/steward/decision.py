"""GET and POST /steward/pairs/{one}/{other}/{decision}: say why, confirm, done.

The form bears the version of the pair that was looked at. Where another steward was first nothing is done,
and the page that answers says what was decided meanwhile.
"""

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlencode

from kintung.errors import Conflict, NotFound, ValueInvalid
from kintung.identity import registry
from kintung.identity.registry import Steward
from kintung.store.links import Link
from kintung.store.port import Store, View
from kintung.web.fhir.answer import Answer
from kintung.web.outcomes import status_of
from kintung.web.pages.forms import fields, token
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked, Done
from kintung.web.pages.render import SAFE
from kintung.web.pages.steward.pair import Pair, pair_in
from kintung.web.pages.steward.standing import DECISIONS, KINDS, Decision
from kintung.web.pages.steward.terms import terms
from kintung.web.site import Site

MOST_CHARACTERS = 500
"""Of a reason."""


class _Says(Protocol):
    def __call__(
        self, store: Store, steward: Steward, one: str, other: str, *, version: int, why: str = ""
    ) -> Link: ...


_SAYS: Mapping[str, _Says] = {
    "merge": registry.merge,
    "keep-apart": registry.keep_apart,
    "un-merge": registry.unmerge,
    "withdraw": registry.withdraw,
}


def confirmation(site: Site, asked: Asked, view: View) -> Answer:
    """What will follow from the decision, and the form that asks why."""
    decision = _decision(asked)
    found = pair_in(view, asked)
    return _form(site, asked, found, decision)


def decide(site: Site, asked: Asked) -> Done:
    """Do what the form says, and go back to the pair; or say why it was not done.

    Raises:
        NotFound: no such decision; either record is absent or hidden.
        Forbidden: the form was not shown to who sends it.
        ValueInvalid: the form cannot be read.
    """
    decision = _decision(asked)
    sent = fields(site, asked)
    version, why = _version(sent.get("version", "")), " ".join(sent.get("why", "").split())
    if not 0 < len(why) <= MOST_CHARACTERS:
        return _again(site, asked, decision, why, version)
    access = asked.access
    steward = Steward(access.actor, access.organisation, access.purpose, access.reader)
    one, other = asked.named["one"], asked.named["other"]
    try:
        _SAYS[decision.name](site.store, steward, one, other, version=version, why=why)
    except Conflict as refused:
        return _overtaken(site, asked, decision, version, refused)
    to = urlencode({"done": decision.name, **({"lang": asked.lang} if asked.lang else {})})
    address = f"/steward/pairs/{one}/{other}?{to}".encode()
    headers = ((b"location", address), (b"cache-control", b"no-store"), *SAFE)
    return Done(Answer(303, headers))


def _decision(asked: Asked) -> Decision:
    found = DECISIONS.get(asked.named["decision"])
    if found is None:
        raise NotFound("There is no page at this address.")
    return found


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueInvalid("The form does not say which pair was looked at; open the page again.")
    return int(text)


def _form(
    site: Site, asked: Asked, found: Pair, decision: Decision, *, why: str = "", is_wrong: bool = False
) -> Answer:
    return page(
        site,
        asked,
        "steward/decision.html",
        found.keys,
        status=422 if is_wrong else 200,
        pair=found,
        decision=decision,
        token=token(site, asked, asked.path),
        most=MOST_CHARACTERS,
        why=why,
        is_wrong=is_wrong,
    )


def _again(site: Site, asked: Asked, decision: Decision, why: str, version: int) -> Done:
    """The form once more, with what was wrong in it; the pair is still the one that was looked at."""
    with site.store.view() as view:
        found = pair_in(view, asked)
    found = found._replace(link=found.link._replace(version=version))
    return Done(_form(site, asked, found, decision, why=why, is_wrong=True), shows=True)


def _overtaken(site: Site, asked: Asked, decision: Decision, version: int, refused: Conflict) -> Done:
    """Nothing was done: what was said of the pair since it was looked at."""
    with site.store.view() as view:
        found = pair_in(view, asked)
        said = view.said(asked.access.reader, found.one.id, found.other.id)
    answer = page(
        site,
        asked,
        "steward/overtaken.html",
        found.keys,
        status=status_of(refused),
        path=found.path,
        pair=found,
        decision=decision,
        meanwhile=[each for each in said if each.version > version][::-1],
        kinds=KINDS,
        terms=terms,
    )
    return Done(answer, shows=True)
