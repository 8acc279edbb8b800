"""The few ASGI words the demonstration needs: read a request, answer it."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 64 * 1024


def header(scope: Scope, name: str) -> str:
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), "")


def host_name(scope: Scope) -> str:
    return header(scope, "host").partition(":")[0].lower()


def port_of(scope: Scope) -> str:
    """`:8000`, or nothing on the default port: stand-ins listen on the port of the site."""
    port = header(scope, "host").partition(":")[2]
    return f":{port}" if port else ""


def query(scope: Scope) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}


def cookies(scope: Scope) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in header(scope, "cookie").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


async def body(receive: Receive) -> bytes:
    """The request's body, or nothing when it is larger than any form here."""
    read = b""
    while True:
        message = await receive()
        read += bytes(message.get("body", b""))
        if len(read) > MAX_BODY_BYTES:
            return b""
        if not message.get("more_body"):
            return read


async def answer(
    send: Send,
    content: bytes | str,
    kind: str = "text/html; charset=utf-8",
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (),
) -> None:
    content = content.encode() if isinstance(content, str) else content
    sent = [("content-type", kind), ("content-length", str(len(content))), *headers]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in sent],
        }
    )
    await send({"type": "http.response.body", "body": content})


async def redirect(send: Send, where: str, headers: Iterable[tuple[str, str]] = (), status: int = 303) -> None:
    await answer(send, b"", status=status, headers=[("location", where), *headers])


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
