"""The pages as an ASGI application: from bytes to a page and back, refusals being pages too.

What a page shows is on record before its first byte leaves, as with the FHIR API.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from kintung.consent import Access, Gate, Right
from kintung.errors import Forbidden, KintungError, TimedOut
from kintung.store.reader import Scope as Granted
from kintung.store.writes import AuditRecord
from kintung.web.desk import Desk
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.audit import TELLING
from kintung.web.fhir.failure import logged
from kintung.web.fhir.headers import accepts_gzip
from kintung.web.fhir.serve import base_of, header_fields
from kintung.web.limits import Bodies, Incoming, Receive, require_head_within
from kintung.web.outcomes import MediaTypeRefused, status_of
from kintung.web.pages.forms import FORM
from kintung.web.pages.language import Language, chosen, keeping, kept_in
from kintung.web.pages.refusals import refusal
from kintung.web.pages.registry import Acts, Asked, Brings, Carries, Page, Pages, Prints, Shows, Tells
from kintung.web.site import Site
from kintung.web.traffic import Traffic

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

_WORTH_GZIP = 1_400


class PagesApp:
    """Serves the pages of a registry."""

    def __init__(self, site: Site, gate: Gate, pages: Pages, traffic: Traffic) -> None:
        self._site = site
        self._gate = gate
        self._pages = pages
        self._traffic = traffic
        limits = site.limits
        self._bodies = Bodies(replace(limits, json=replace(limits.json, bytes=limits.form)))
        self._threads = ThreadPoolExecutor(limits.carriers, "kintung-page")
        self._desk: Desk | None = None

    def holds(self, path: str) -> bool:
        """Is this an address of pages?"""
        return self._pages.holds(path)

    def close(self) -> None:
        """Let what is under way end."""
        self._threads.shutdown(cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = header_fields(scope["headers"])
        incoming = Incoming(receive)
        language, lang = _language(scope, headers)
        name, rights = "", frozenset[Right]()
        try:
            require_head_within(scope, headers, self._site.limits)
            access = self._gate(headers)  # before the page: the header of one that is not there leads on, too
            rights = access.rights
            page, named = self._pages.find(scope["method"], scope["path"])
            name = page.name
            query = scope["query_string"].decode(errors="replace")
            base = self._site.settings.base_url or base_of(scope["scheme"], headers.get(b"host", b""))
            asked = Asked(scope["method"], scope["path"], query, access, language, lang, named, base)
            answer = await self._serve(page, asked, headers, incoming)
        except KintungError as error:
            answer = refusal(error, language, lang, scope["path"], rights, self._site.demo_day)
        except Exception as error:  # noqa: BLE001 - whatever happens, the caller gets an answer
            known = logged(self._site, error)
            answer = refusal(known, language, lang, scope["path"], rights, self._site.demo_day)
        if answer.status >= 400 and scope["method"] == "POST" and not incoming.ended:
            await incoming.discard(self._site.limits)
        self._traffic.answered(name, answer.status)
        if _is_chosen(lang, headers):
            answer = answer._replace(headers=(*answer.headers, (b"set-cookie", keeping(language))))
        await _send(send, answer, headers, is_head=scope["method"] == "HEAD")

    async def _serve(
        self, page: Page, asked: Asked, headers: dict[bytes, bytes], incoming: Incoming
    ) -> Answer:
        received = b""
        try:
            if page.right is not None and page.right not in asked.access.rights:
                raise Forbidden(f"This needs the right to {page.right}, which you do not have here.")
            if page.method == "POST":
                _require_form(headers)
                received = await self._bodies.read(incoming, headers)
                asked = replace(asked, body=received)
            self._traffic.begin(asked.access.client)
            try:
                return await self._answer(page, asked)
            finally:
                self._traffic.end(asked.access.client)
        except TELLING as error:
            if not isinstance(page.action, Acts) or isinstance(error, Forbidden):
                await self._on_record(_audit_record(asked, page.name, status_of(error)))
            raise
        finally:
            self._bodies.release(received)

    async def _answer(self, page: Page, asked: Asked) -> Answer:
        match page.action:
            case Brings(bring):
                return bring(asked)
            case Tells(tell):
                return await self._in_time(lambda: tell(self._site, asked))
            case Carries(carry):
                return carry(self._site, asked)
            case Shows(show):
                answer = await self._in_time(lambda: self._shown(show, asked))
                shows = True
            case Prints(gather):
                answer = await self._in_time(lambda: self._printed(gather, asked))
                shows = True
            case Acts(act):
                # Not given up: who decided must not be told that nothing was decided.
                loop = asyncio.get_running_loop()
                answer, shows = await loop.run_in_executor(self._threads, act, self._site, asked)
        if shows:
            told = _audit_record(
                asked, page.name, answer.status, answer.patient_keys, answer.about, answer.opened
            )
            await self._on_record(told)
        return answer

    def _shown(self, show: Callable[..., Answer], asked: Asked) -> Answer:
        with self._site.store.view() as view:
            return show(self._site, asked, view)

    def _printed(self, gather: Callable[..., Callable[[], Answer] | Answer], asked: Asked) -> Answer:
        with self._site.store.view() as view:
            found = gather(self._site, asked, view)
        return found if isinstance(found, Answer) else found()

    async def _in_time(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._site.limits.seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except TimeoutError:
            raise TimedOut("The page took too long; try again later.") from None

    def _on_record(self, record: AuditRecord) -> "asyncio.Future[None]":
        """Await it before what is on record leaves; raises Unavailable when that fails."""
        loop = asyncio.get_running_loop()
        if self._desk is None or self._desk.loop is not loop:
            site = self._site
            self._desk = Desk(loop, site.store, site.limits.seconds, lambda error: logged(site, error))
        return self._desk.put(record)


def _language(scope: Scope, headers: dict[bytes, bytes]) -> tuple[Language, str]:
    """The language, and its tag when the address chose it."""
    try:
        pairs = parse_qsl(scope["query_string"].decode(errors="replace"), max_num_fields=1_000)
    except ValueError:
        pairs = []
    lang = next((value for name, value in pairs if name == "lang"), "")
    kept = kept_in(headers.get(b"cookie", b""))
    language = chosen(lang, headers.get(b"accept-language", b""), kept)
    return language, language.value if lang and chosen(lang, b"en") is chosen(lang, b"zh") else ""


_OWN = (b"same-origin", b"none")
"""Where a request comes from that no other site made: a page of this node, or who typed the address."""


def _is_chosen(lang: str, headers: dict[bytes, bytes]) -> bool:
    """Did who asks choose a language that was not kept yet?"""
    is_new = lang != "" and kept_in(headers.get(b"cookie", b"")) != lang
    return is_new and headers.get(b"sec-fetch-site", b"same-origin") in _OWN


def _require_form(headers: dict[bytes, bytes]) -> None:
    """Refuse what is no form of a page of this node."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != FORM:
        raise MediaTypeRefused("A page takes a form.", path="Content-Type")
    if headers.get(b"sec-fetch-site", b"same-origin") not in _OWN:
        raise Forbidden("A form of another site is not taken here.", path="Sec-Fetch-Site")


def _audit_record(
    asked: Asked,
    operation: str,
    status: int,
    patient_keys: tuple[int, ...] = (),
    about: int = 0,
    opened: int = 0,
) -> AuditRecord:
    access: Access = asked.access
    scope = access.reader.persons
    scope = scope if isinstance(scope, Granted) else Granted(0)
    described = f"{asked.method} {asked.path}?{asked.query}"
    return AuditRecord(
        access.actor,
        access.organisation,
        access.purpose,
        operation,
        described,
        status,
        access.grant,
        patient_keys,
        scope.number,
        scope.epoch,
        about,
        opened,
    )


async def _send(send: Send, answer: Answer, asked: dict[bytes, bytes], *, is_head: bool) -> None:
    body = answer.body
    headers = list(answer.headers)
    if len(body) >= _WORTH_GZIP and accepts_gzip(asked.get(b"accept-encoding", b"")):
        body = gzip.compress(body, 1, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else body})
