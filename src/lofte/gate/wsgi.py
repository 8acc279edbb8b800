"""The gate around a WSGI site: `Wsgi(app, make)` is a WSGI app again, for any server.

``make(site)`` makes the gate around an ASGI site, as `Gate` is made. Nothing here waits: the gate is driven by hand, message by
message, on the server's own thread, without a loop; a page is passed on as the site yields it.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, MutableMapping
from typing import Any
from urllib.parse import quote

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]
Message = MutableMapping[str, Any]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

_SERVERS_OWN = frozenset((b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"trailer"))


class Wsgi:
    """The site sees `lofte.market`, `lofte.locale`, `lofte.allowed` and `lofte.nonce` in its environ."""

    def __init__(self, app: WSGIApp, make: Callable[[ASGIApp], ASGIApp]) -> None:
        self.app = app
        self._gate = make(self._site)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        messages = self._messages(environ)
        start = next(messages)
        phrase = environ.get("lofte.phrase") or "-"
        headers = [(name.decode("latin-1").title(), value.decode("latin-1")) for name, value in start["headers"]]
        start_response(
            f"{start['status']} {phrase}", [(n, v) for n, v in headers if n.lower().encode() not in _SERVERS_OWN]
        )
        return _Body(messages, environ["REQUEST_METHOD"] == "HEAD")

    def _messages(self, environ: Environ) -> Generator[Message, None, None]:
        running = self._gate(_scope(environ), _never, _handed).__await__()
        try:
            while True:
                yield running.send(None)
        except StopIteration:
            return
        finally:
            running.close()

    async def _site(self, scope: Any, receive: Any, send: Any) -> None:
        """The WSGI app as the gate sees it."""
        environ: Environ = scope["lofte.environ"]
        _as_the_site_may_see(environ, scope)
        started: list[Any] = []
        written: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            if exc_info and started and started[-1] == "sent":
                raise exc_info[1].with_traceback(exc_info[2])
            started[:] = [(status, headers)]
            return written.append

        answer = self.app(environ, start_response)
        try:
            for piece in answer:
                await _start(started, environ, send)
                body = b"".join((*written, piece))
                written.clear()
                if body:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            await _start(started, environ, send)
            await send({"type": "http.response.body", "body": b"".join(written), "more_body": False})
        finally:
            if hasattr(answer, "close"):
                answer.close()


async def _start(started: list[Any], environ: Environ, send: Any) -> None:
    if started[-1] == "sent":
        return
    status, headers = started[-1]
    code, _, environ["lofte.phrase"] = status.partition(" ")
    given = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    started.append("sent")
    await send({"type": "http.response.start", "status": int(code), "headers": given})


class _Body:
    """The rest of the messages as WSGI's iterable."""

    def __init__(self, messages: Generator[Message, None, None], is_head: bool) -> None:
        self._messages, self._is_head = messages, is_head

    def __iter__(self) -> Iterator[bytes]:
        for message in self._messages:
            if message.get("body") and not self._is_head:
                yield message["body"]

    def close(self) -> None:
        self._messages.close()


class _Handed:
    """Gives one message to whoever drives the gate."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __await__(self) -> Generator[Message, None, None]:
        yield self._message


async def _handed(message: Message) -> None:
    await _Handed(message)


async def _never() -> Message:
    raise RuntimeError("the gate reads no body")


def _scope(environ: Environ) -> dict[str, Any]:
    named = [(k[5:], v) for k, v in environ.items() if k.startswith("HTTP_")]
    named += [(key, environ[key]) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
    headers = [(name.replace("_", "-").lower().encode(), str(value).encode("latin-1")) for name, value in named]
    if "HTTP_HOST" not in environ:
        headers.append((b"host", f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}".encode()))
    return {
        "type": "http", "method": environ["REQUEST_METHOD"], "path": path, "raw_path": quote(path).encode(),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"), "scheme": environ["wsgi.url_scheme"],
        "headers": headers, "lofte.environ": environ,
    }  # fmt: skip


def _as_the_site_may_see(environ: Environ, scope: Any) -> None:
    """The gate takes headers away and says which encodings it reads."""
    for key in [key for key in environ if key.startswith("HTTP_")]:
        del environ[key]
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            environ[f"HTTP_{key}"] = value.decode("latin-1")
    environ.update({key: value for key, value in scope.items() if key.startswith("lofte.") and key != "lofte.environ"})
