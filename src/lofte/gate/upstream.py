"""The site behind the gate when it is a server of its own: an ASGI app that asks it over HTTP and passes its answer on.

Bytes go through as they come, in both directions and piece by piece: what is packed stays packed, what is chunked is never
whole in memory. A site that cannot be reached, breaks off, is silent too long or sends a page packed in a way that cannot be
read, and so not held, is answered for with one page that says so.
WebSockets do not come this way: `tunnel` gives the server a protocol that joins the two connections.
"""

import asyncio
import logging
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, MutableMapping
from contextlib import suppress
from html import escape
from typing import Any
from urllib.parse import urlsplit

import httpx2

from lofte.gate import encodings
from lofte.kernel.problems import Place, Problem
from lofte.rules.catalogue import LOCALES, say

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PATIENCE_S = 60.0
_CONNECT_S = 5.0
_MOST_CONNECTIONS = 256
_LONGEST_HEAD = 64 * 1024
_OF_ONE_CONNECTION = frozenset((
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
    b"transfer-encoding", b"upgrade",
))  # fmt: skip
_BODIES = (b"content-length", b"transfer-encoding")
_HTML = (b"text/html", b"application/xhtml+xml")
_log = logging.getLogger(__name__)
_SAID_BY_US = frozenset((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"))


class Upstream:
    """``Upstream("http://127.0.0.1:3000")`` is an ASGI app. The site sees the name the visitor asked for, and who asked in
    `X-Forwarded-For`, `-Proto` and `-Host`; ``host`` gives it another name, for servers that only know their own.
    """

    def __init__(self, address: str, *, host: str = "", patience_s: float = PATIENCE_S) -> None:
        self.origin = origin_of(address)
        parts = urlsplit(self.origin)
        self._url = httpx2.URL(self.origin)
        self._authority = parts.netloc.encode()
        self._host = host.encode("idna") if host else b""
        self._patience_s = patience_s
        self._transport: httpx2.AsyncHTTPTransport | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._life(receive, send)
        elif scope["type"] == "http":
            await self._pass_on(scope, receive, send)

    async def _life(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._transport is not None:
            await self._transport.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Asks in a task of its own, so that a visitor who leaves is noticed and the site need not go on for nobody."""
        heard = _Heard(receive, any(name in _BODIES for name, _ in scope["headers"]))
        asking = asyncio.ensure_future(self._ask(scope, heard, send))
        leaving = asyncio.ensure_future(heard.left())
        try:
            await asyncio.wait((asking, leaving), return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                asking.result()
        finally:
            for task in (asking, leaving):
                if not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def _ask(self, scope: Scope, heard: "_Heard", send: Send) -> None:
        try:
            answer = await self._connection().handle_async_request(self._request(scope, heard))
        except (httpx2.ReadTimeout, httpx2.PoolTimeout, httpx2.WriteTimeout):
            await _say_so(scope, send, 504, "slow")
            return
        except httpx2.TransportError:
            await _say_so(scope, send, 502, "away")
            return
        try:
            headers = [(n.lower(), v) for n, v in answer.headers.raw]
            if coding := _unreadable(answer.status_code, headers):
                _log.warning("A page in Content-Encoding %r cannot be held: answered for with 502", coding)
                await _say_so(scope, send, 502, "packed")
                return
            await send({
                "type": "http.response.start", "status": answer.status_code,
                "headers": self._answered(headers, scope),
            })  # fmt: skip
            assert isinstance(answer.stream, httpx2.AsyncByteStream)
            async for piece in answer.stream:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await answer.aclose()

    def _connection(self) -> httpx2.AsyncHTTPTransport:
        if self._transport is None:
            limits = httpx2.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=64, keepalive_expiry=15)
            self._transport = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False, retries=1)
        return self._transport

    def _request(self, scope: Scope, heard: "_Heard") -> httpx2.Request:
        headers = self.asked(scope["headers"], scope)
        target: bytes = scope.get("raw_path") or scope["path"].encode()
        if query := scope.get("query_string"):
            target += b"?" + query
        patience = {"connect": _CONNECT_S, "read": self._patience_s, "write": self._patience_s, "pool": _CONNECT_S}
        return httpx2.Request(
            scope["method"], self._url, headers=headers, content=heard.body() if heard.has_body else None,
            extensions={"target": target, "timeout": patience},
        )  # fmt: skip

    def asked(self, headers: Iterable[tuple[bytes, bytes]], scope: Scope) -> Headers:
        """The request's headers as the site gets them: nothing of the one connection, and in our words who asks."""
        given = list(headers)
        host = next((value for name, value in given if name == b"host"), self._authority)
        kept = [(n, v) for n, v in _of_the_message(given) if n not in _SAID_BY_US and n not in (b"host", b"expect")]
        client = scope.get("client")
        if client:
            kept.append((b"x-forwarded-for", str(client[0]).encode()))
        scheme = str(scope["scheme"])
        kept += [(b"x-forwarded-proto", scheme.encode()), (b"x-forwarded-host", host)]
        kept = [(n, _readable(v) if n == b"accept-encoding" else v) for n, v in kept]
        return [(b"host", self._host or host), *kept]

    def _answered(self, headers: Headers, scope: Scope) -> Headers:
        """The answer's headers as the visitor gets them. The server's own name for itself becomes the one asked for."""
        kept = [(name, value) for name, value in _of_the_message(headers) if name not in (b"date", b"alt-svc")]
        own = self.origin.encode()
        ours = _asked_host(scope)
        if ours and self._host:
            named = (own, own.partition(b":")[0] + b"://" + self._host)
            kept = [(n, _under(v, named, ours) if n in (b"location", b"content-location") else v) for n, v in kept]
        return kept

    def tunnel(self, may_keep: Callable[[bytes], bool]) -> type[asyncio.Protocol]:
        """The protocol for the server's ``ws=``: joins an upgraded connection to the site's, byte by byte.

        ``may_keep(name)`` says whether a cookie may be set with the handshake; frames are the two ends' own.
        """
        return type("Tunnel", (_Tunnel,), {"upstream": self, "may_keep": staticmethod(may_keep)})


def origin_of(address: str) -> str:
    """``http(s)://host[:port]`` of an upstream's address. Raises Problem for anything more or less."""
    parts = urlsplit(address)
    try:
        is_fit = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        is_fit = False
    if not is_fit or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Problem(
            "gate.upstream", f"{address!r} is no address of a site", Place(key="--upstream"),
            expected="http://host:port or https://host, without a path",
        )  # fmt: skip
    return f"{parts.scheme}://{parts.netloc}"


class _Heard:
    """What the visitor sends, and whether they have left. One reads the body, the other waits for what comes after it."""

    def __init__(self, receive: Receive, has_body: bool) -> None:
        self.has_body = has_body
        self._receive = receive
        self._whole = asyncio.Event()
        self._gone = asyncio.Event()

    async def body(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._gone.set()
                await asyncio.Event().wait()  # until this is cancelled: half a body must not look like a whole one
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                self._whole.set()
                return

    async def left(self) -> None:
        if self.has_body:
            ends = [asyncio.ensure_future(self._whole.wait()), asyncio.ensure_future(self._gone.wait())]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for end in ends:
                    end.cancel()
        while not self._gone.is_set() and (await self._receive())["type"] != "http.disconnect":
            pass


class _Tunnel(asyncio.Protocol):
    """Two connections made one. The server hands over the request's head as if it had just come."""

    upstream: Upstream
    may_keep: Callable[[bytes], bool]

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        self._connections: set[Any] = server_state.connections
        self._tasks: set[asyncio.Task[None]] = server_state.tasks
        self._head = b""
        self._waiting: list[bytes] = []
        self._writer: StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._task is None:
            self._head = data
            self._task = self._in_background(self._join())
        elif self._writer is None:
            self._waiting.append(data)
            if sum(map(len, self._waiting)) > _LONGEST_HEAD:
                self._transport.close()
        else:
            self._writer.write(data)
            if self._writer.transport.get_write_buffer_size() > _LONGEST_HEAD:
                self._transport.pause_reading()
                self._in_background(self._drained(self._writer))

    def eof_received(self) -> None:
        return None

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self._can_write.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def shutdown(self) -> None:
        """The server ends: so do both ends."""
        self._transport.close()

    async def _join(self) -> None:
        writer = None
        try:
            reader, writer = await asyncio.wait_for(self._open(), _CONNECT_S)
            writer.write(self._asked())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            self._transport.write(self._answered(head))
            self._writer = writer
            for data in self._waiting:
                writer.write(data)
            while piece := await reader.read(_LONGEST_HEAD):
                self._transport.write(piece)
                await self._can_write.wait()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if self._writer is None:
                self._transport.write(b"HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        finally:
            if writer is not None:
                writer.close()
            self._transport.close()

    async def _drained(self, writer: StreamWriter) -> None:
        with suppress(OSError):
            await writer.drain()
            self._transport.resume_reading()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _open(self) -> tuple[StreamReader, StreamWriter]:
        parts = urlsplit(self.upstream.origin)
        secure = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if secure else 80)
        return await asyncio.open_connection(parts.hostname, port, ssl=secure, limit=_LONGEST_HEAD)

    def _asked(self) -> bytes:
        first, *lines = self._head.partition(b"\r\n\r\n")[0].split(b"\r\n")
        headers = [(n.lower(), v.strip()) for n, _, v in (line.partition(b":") for line in lines)]
        peer = self._transport.get_extra_info("peername")
        scope = {"client": peer, "scheme": "https" if self._transport.get_extra_info("sslcontext") else "http"}
        asked = [*self.upstream.asked(headers, scope), (b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        return b"\r\n".join([first, *(b"%b: %b" % pair for pair in asked), b"", b""])

    def _answered(self, head: bytes) -> bytes:
        lines = head.split(b"\r\n")
        return b"\r\n".join(line for line in lines if not self._is_held(line))

    def _is_held(self, line: bytes) -> bool:
        name, _, value = line.partition(b":")
        return name.strip().lower() == b"set-cookie" and not type(self).may_keep(value.partition(b"=")[0].strip())


def _of_the_message(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """RFC 9110 7.6.1: what a proxy passes on."""
    given = list(headers)
    named = {t.strip().lower() for name, value in given if name == b"connection" for t in value.split(b",")}
    return [(name, value) for name, value in given if name not in _OF_ONE_CONNECTION and name not in named]


def _readable(accepted: bytes) -> bytes:
    """An Accept-Encoding without the packings a page could not be read in. What is a page is not known before it comes."""
    parts = [part.strip() for part in accepted.split(b",")]
    return b", ".join(p for p in parts if p.partition(b";")[0].strip().lower() in encodings.READ - {b""}) or b"identity"


def _unreadable(status: int, headers: Headers) -> str:
    """The packing of an answer that is a page nobody here can read; empty when it is none."""
    content_type = next((value for name, value in headers if name == b"content-type"), b"")
    coding = b",".join(value.strip().lower() for name, value in headers if name == b"content-encoding")
    is_page = content_type.strip().lower().startswith(_HTML) and status not in (204, 304)
    return coding.decode("latin-1") if is_page and coding not in encodings.READ else ""


def _asked_host(scope: Scope) -> bytes:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return scope["scheme"].encode() + b"://" + host if host else b""


def _under(address: bytes, named: Iterable[bytes], ours: bytes) -> bytes:
    for own in named:
        if address == own or address.startswith((own + b"/", own + b"?")):
            return ours + address[len(own) :]
    return address


async def _say_so(scope: Scope, send: Send, status: int, what: str) -> None:
    """One page, in the language of the place asked for."""
    locale = scope.get("lofte.locale") or LOCALES[0]
    title, text, again = (escape(say(locale, f"upstream.{key}")) for key in (f"{what}_title", what, "again"))
    page = (
        f'<!doctype html>\n<html lang="{locale}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{title}</title><style>body{{font:1.125rem/1.5 system-ui,sans-serif;margin:0;color-scheme:light dark}}"
        "main{max-width:36rem;margin:15vh auto;padding:0 1.25rem}</style></head>\n"
        f'<body><main><h1>{title}</h1><p>{text}</p><p><a href="">{again}</a></p></main></body>\n</html>\n'
    ).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store"),
        (b"content-length", str(len(page)).encode()), (b"retry-after", b"5"),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page})
