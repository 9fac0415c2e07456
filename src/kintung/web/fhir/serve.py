"""The FHIR API as an ASGI application: from bytes to a Request and back.

Kept free of layers because reads are hot: one dictionary of header fields, one walk through
the registry, one Request.
"""

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from kintung.consent import Gate
from kintung.errors import KintungError, NotFound, TimedOut, ValueInvalid
from kintung.store.writes import AuditRecord, Receipt
from kintung.web.cors import Cors
from kintung.web.desk import Desk
from kintung.web.fhir.answer import Answer, refusal
from kintung.web.fhir.asynchronous import kick_off
from kintung.web.fhir.audit import audit_record, is_on_record
from kintung.web.fhir.batch_or_transaction import carry
from kintung.web.fhir.binary import brings_content, resource_of, wants_content
from kintung.web.fhir.failure import logged
from kintung.web.fhir.headers import (
    FHIR_JSON,
    PATCH_FORMATS,
    PLAIN,
    accepts_gzip,
    require_content,
    require_json_acceptable,
    require_json_format,
    require_pretty,
)
from kintung.web.fhir.perform import disclose, require_right
from kintung.web.fhir.presentation import presentation
from kintung.web.fhir.registry import (
    Action,
    Carries,
    Interaction,
    Later,
    Reads,
    Recordless,
    Registry,
    Submission,
    Writes,
)
from kintung.web.fhir.request import Request, decode_pairs
from kintung.web.landing import Landing
from kintung.web.limits import Bodies, Incoming, Receive, require_head_within
from kintung.web.outcomes import Headers, status_of
from kintung.web.site import Site
from kintung.web.traffic import Traffic

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

MOUNT = "/fhir"

_SMALL_BODY = 100_000
"""Bytes of a body whose parsing is not worth a thread."""
_WORTH_GZIP = 1_400
"""Bytes of a body that may not fit one packet."""
_LARGE_ANSWER = 256 * 1024
_HOST = re.compile(rb"[A-Za-z0-9._-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_BODY_METHODS = ("POST", "PUT", "PATCH")
_EMPTY = (204, 304)
_ABOUT: Mapping[type[Action], str] = {Carries: "Bundle"}
"""What a refusal is about where neither it nor the address says."""


class FhirApi:
    """Serves what is below ``/fhir``."""

    def __init__(self, site: Site, gate: Gate, registry: Registry, traffic: Traffic) -> None:
        self._site = site
        self._base_url = site.settings.base_url
        self._gate = gate
        self._registry = registry
        self._traffic = traffic
        self._bodies = Bodies(site.limits)
        self._cors = Cors(site.settings.allow_origins)
        # Bundles wait for commits in their thread; they must not keep searches from theirs.
        self._threads = ThreadPoolExecutor(site.limits.threads, "kintung-read")
        self._carriers = ThreadPoolExecutor(site.limits.carriers, "kintung-carry")
        # The data keys of new persons are made durable there: nobody else is to wait for that.
        self._makers = ThreadPoolExecutor(site.limits.threads, "kintung-new")
        self._landing: Landing | None = None
        self._desk: Desk | None = None
        self._work: Mapping[type[Action], Callable[[Interaction, Any, Request], Awaitable[Answer]]] = {
            Reads: self._read,
            Writes: self._write,
            Recordless: self._answer,
            Carries: self._carry,
            Later: self._tell,
        }

    def close(self) -> None:
        """Let what is under way end."""
        self._threads.shutdown(cancel_futures=True)
        self._carriers.shutdown(cancel_futures=True)
        self._makers.shutdown(cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = header_fields(scope["headers"])
        incoming = Incoming(receive)
        name = about = ""
        try:
            require_head_within(scope, headers, self._site.limits)
            path = _path(scope)
            if scope["method"] == "OPTIONS":
                answer = self._options(path, headers)
                await incoming.discard(self._site.limits)
                await self._send(send, answer, headers, is_head=False)
                return
            interaction, parameters = self._registry.find(scope["method"], path)
            name = interaction.name
            about = parameters.get("type", "") or _ABOUT.get(type(interaction.action), "Resource")
            request = Request(
                scope["method"],
                path,
                _query(scope),
                headers,
                self._gate(headers),
                self._base_url or base_of(scope["scheme"], headers.get(b"host", b"")),
            ).placed(parameters)
            answer = await self._serve(request, incoming, interaction)
        except KintungError as error:
            answer = refusal(error, about)
        except Exception as error:  # noqa: BLE001 - whatever happens, the caller gets an answer
            answer = refusal(logged(self._site, error))
        if answer.status >= 400 and _has_body(headers) and not incoming.ended:
            await incoming.discard(self._site.limits)
        self._traffic.answered(name, answer.status)
        answer = presentation(scope["query_string"], headers).of(answer)
        await self._send(send, answer, headers, is_head=scope["method"] == "HEAD")

    # --- One request ------------------------------------------------------------------

    def _options(self, path: str, headers: Mapping[bytes, bytes]) -> Answer:
        """Which methods an address takes, and whether a page may use them. It is asked before sign-in."""
        methods = self._registry.methods(path)
        allow = (b"allow", ", ".join(methods).encode())
        patches: Headers = ((b"accept-patch", PATCH_FORMATS),) if "PATCH" in methods else ()
        return Answer(204, (allow, *patches, *PLAIN[1:], *self._cors.preflight(headers, methods)))

    async def _serve(self, request: Request, incoming: Incoming, interaction: Interaction) -> Answer:
        headers, client = request.headers, request.access.client
        received = b""
        try:
            require_right(request.access, interaction)
            _negotiate(request)
            if interaction.method in _BODY_METHODS:
                is_content = interaction.method in ("POST", "PUT") and brings_content(request)
                if not is_content and not interaction.path.endswith("_search"):
                    require_content(interaction.method, headers.get(b"content-type"))
                received = await self._bodies.read(incoming, headers)
                request = await self._with_body(request, received, is_content=is_content)
            # Only now: who sends slowly must not take the room of who is served.
            self._traffic.begin(client)
            try:
                answer = await self._accepted(interaction, request) or await self._work[
                    type(interaction.action)
                ](interaction, interaction.action, request)
            finally:
                self._traffic.end(client)
        except KintungError as error:
            if is_on_record(error, writes=isinstance(interaction.action, Writes | Carries)):
                await self.on_record(audit_record(request, interaction.name, status_of(error)))
            raise
        finally:
            self._bodies.release(received)
        return presentation(received, {}).of(answer) if interaction.path.endswith("_search") else answer

    async def _with_body(self, request: Request, received: bytes, *, is_content: bool) -> Request:
        """The request with its body; of content, the Binary that holds it."""
        sent = request.with_body(received)
        if not is_content:
            return sent
        return request.with_body(await self._lightly(sent, lambda: resource_of(request, received)))

    async def _read(self, interaction: Interaction, action: Reads, request: Request) -> Answer:
        """Answer from the record; the answer leaves when it is on record that it was given."""
        if action.by_id and not self._site.store.waits:
            answer, record = disclose(self._site, interaction, action, request)
        else:
            answer, record = await self._in_time(lambda: disclose(self._site, interaction, action, request))
        await self.on_record(record)
        return answer

    async def _write(self, interaction: Interaction, action: Writes, request: Request) -> Answer:
        """Commit, and answer when it is durable."""
        site = self._site

        def submit() -> tuple[Submission, Future[Receipt] | None]:
            submission = action.submission(site, request)
            return submission, site.store.submit_at_once(submission.unit)

        submission, future = await self._lightly(request, submit)
        if future is None:
            future = await self._loop().run_in_executor(self._makers, site.store.submit, submission.unit)
        receipt = await self._land(future)
        answer = await self._lightly(request, lambda: submission.answer(receipt))
        if receipt.replayed:
            await self.on_record(
                audit_record(request, interaction.name, answer.status, answer.patient_keys, answer.about)
            )
        return answer

    async def _answer(self, _interaction: Interaction, action: Recordless, request: Request) -> Answer:
        return await self._lightly(request, lambda: action.answer(self._site, request))

    async def _carry(self, _interaction: Interaction, _action: Carries, request: Request) -> Answer:
        return await self._loop().run_in_executor(self._carriers, carry, self._site, self._registry, request)

    async def _accepted(self, interaction: Interaction, request: Request) -> Answer | None:
        """What is answered to who is to be answered later; None to who is to be answered now."""
        if not (interaction.may_be_later and request.prefer.respond_async) or request.method == "HEAD":
            return None
        return await self._in_time(lambda: kick_off(self._site, interaction, request))

    async def _tell(self, _interaction: Interaction, action: Later, request: Request) -> Answer:
        """Tell of what is answered later; its answer leaves when it is on record that it did."""
        answer, record = await self._in_time(lambda: action.answer(self._site, request))
        if record is not None:
            await self.on_record(record)
        return answer

    def on_record(self, record: AuditRecord) -> "asyncio.Future[None]":
        """Await it before what is on record leaves; raises Unavailable when that fails."""
        loop = self._loop()
        if self._desk is None or self._desk.loop is not loop:
            site = self._site
            self._desk = Desk(loop, site.store, site.limits.seconds, lambda error: logged(site, error))
        return self._desk.put(record)

    # --- Where the work is done -------------------------------------------------------

    async def _lightly(self, request: Request, work: Callable[[], T]) -> T:
        """Do work at once when it is surely short, else in a thread."""
        conditional = b"if-none-exist" in request.headers or (request.query and not request.id)
        if self._site.store.waits or conditional or len(request.body) > _SMALL_BODY:
            return await self._loop().run_in_executor(self._threads, work)
        return work()

    async def _in_time(self, work: Callable[[], T]) -> T:
        """Do work in a thread, and give up when it takes too long."""
        try:
            async with asyncio.timeout(self._site.limits.seconds):
                return await self._loop().run_in_executor(self._threads, work)
        except TimeoutError:
            raise TimedOut(
                f"The answer took longer than {self._site.limits.seconds:g} seconds; ask for less."
            ) from None

    async def _land(self, future: Any) -> Any:
        if self._landing is None or self._landing.loop is not asyncio.get_running_loop():
            self._landing = Landing(asyncio.get_running_loop())
        return await self._landing.wait(future, self._site.limits.seconds)

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    # --- The answer -------------------------------------------------------------------

    async def _send(self, send: Send, answer: Answer, asked: dict[bytes, bytes], *, is_head: bool) -> None:
        status, body = answer.status, answer.body
        headers = [*answer.headers, *self._cors.fields(asked)]
        if status not in _EMPTY and not body:
            # Of content the type is said though there is none of it; FHIR that is left out has none.
            headers = [field for field in headers if field != (b"content-type", FHIR_JSON)]
            headers.append((b"content-length", b"0"))
        elif status not in _EMPTY:
            headers.append((b"vary", b"accept, accept-encoding"))
            if len(body) >= _WORTH_GZIP and accepts_gzip(asked.get(b"accept-encoding", b"")):
                body = await self._gzipped(body)
                headers.append((b"content-encoding", b"gzip"))
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else body})

    async def _gzipped(self, body: bytes) -> bytes:
        if len(body) < _LARGE_ANSWER:
            return gzip.compress(body, 1, mtime=0)
        return await self._loop().run_in_executor(self._threads, lambda: gzip.compress(body, 1, mtime=0))


def header_fields(listed: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Header fields by name; several of one name are one list, as RFC 9110 has it."""
    fields = dict(listed)
    if len(fields) < len(listed):
        fields = {}
        for name, value in listed:
            fields[name] = b"%s, %s" % (fields[name], value) if name in fields else value
    return fields


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a body is being sent; who asked with Expect first has not begun to."""
    sends = b"content-length" in headers or b"transfer-encoding" in headers
    return sends and b"expect" not in headers


def _path(scope: Scope) -> str:
    """The address under the base, without a slash in front."""
    path: str = scope["path"]
    if not path.isascii():
        raise NotFound("There is nothing at this address; FHIR addresses are ASCII.")
    return path[len(MOUNT) + 1 :]


def _query(scope: Scope) -> str:
    try:
        return scope["query_string"].decode()
    except UnicodeDecodeError:
        raise ValueInvalid("The parameters are not UTF-8.") from None


@lru_cache(maxsize=64)
def base_of(scheme: str, host: bytes) -> str:
    """The address of the FHIR API as who asks reaches it, by the Host of the request."""
    shown = host.decode() if _HOST.fullmatch(host) else "localhost"
    return f"{scheme}://{shown}{MOUNT}"


def _negotiate(request: Request) -> None:
    """Refuse what does not want JSON, but of a Binary. ``_format`` is heard before Accept.

    Raises:
        NotAcceptable: another format, or another release of FHIR.
        ValueInvalid: ``_pretty`` is neither true nor false.
    """
    if "_pretty" in request.query:
        require_pretty(request.pairs)
    if "_format" in request.query:
        formats = [value for name, value in decode_pairs(request.query) if name == "_format"]
        for value in formats:
            require_json_format(value)
        if formats:
            return
    if request.type != "Binary" or not wants_content(request):
        require_json_acceptable(request.headers.get(b"accept"))
