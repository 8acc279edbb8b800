"""The few shapes of an answer, and the headers every answer of the edge carries."""

import gzip
import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from lofte.kernel.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

HTML = b"text/html; charset=utf-8"
CSS = b"text/css; charset=utf-8"
JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
PROBLEM = b"application/problem+json"
IMMUTABLE = b"public, max-age=31536000, immutable"
NO_STORE = b"no-store"

SAFE: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    # same-origin, not no-referrer: under no-referrer browsers send `Origin: null` with a form of our own
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_INLINE = re.compile(
    rb"<(?:script|style)(?:\s(?![^>]*\ssrc=)[^>]*)?>(.*?)</(?:script|style)>", re.DOTALL | re.IGNORECASE
)
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'{styles}; img-src 'self' data:; font-src 'self'; script-src 'self'{scripts}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'"
)


async def answer(
    send: Send, status: int, body: bytes, content_type: bytes, headers: Iterable[Header] = (), head: bool = False
) -> None:
    """Sends one whole answer; with ``head`` the same headers and no body."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                *SAFE,
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": b"" if head else body})


async def empty(send: Send, status: int, headers: Iterable[Header] = ()) -> None:
    """An answer without a body: 204, 303, 304, 308."""
    await send({"type": "http.response.start", "status": status, "headers": [*SAFE, *headers]})
    await send({"type": "http.response.body", "body": b""})


def json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def problem(send: Send, what: Problem, headers: Iterable[Header] = (), **extra: Any) -> None:
    """An RFC 9457 problem document; ``extra`` members come after the standard ones."""
    body = json_bytes(what.document() | extra)
    await answer(send, what.status, body, PROBLEM, [(b"cache-control", NO_STORE), *headers])


def page_headers(nonce: str = "", inline: tuple[str, ...] = ()) -> list[Header]:
    """The headers of a page: a strict policy, opened only for this answer's nonce or the hashes of inline parts."""
    allowed = "".join(f" '{source}'" for source in ((f"nonce-{nonce}",) if nonce else ()) + inline)
    policy = _PAGE_POLICY.format(styles=allowed, scripts=allowed)
    return [
        (b"content-security-policy", policy.encode()),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), browsing-topics=()"),
    ]


def inline_hashes(html: bytes) -> tuple[str, ...]:
    """CSP sources for the inline scripts and styles of a page whose every byte is ours."""
    found = (part for part in _INLINE.findall(html) if part.strip())
    return tuple(dict.fromkeys(f"sha256-{b64encode(hashlib.sha256(part).digest()).decode()}" for part in found))


class Frozen:
    """Bytes that do not change while we hold them: hashed and compressed once, 304 where they are known."""

    __slots__ = ("_body", "_etag", "_gzip", "_headers", "_type")

    def __init__(self, body: bytes, content_type: bytes, cache: bytes, headers: Iterable[Header] = ()) -> None:
        self._body, self._type = body, content_type
        packed = gzip.compress(body, 9, mtime=0) if len(body) > 500 else b""
        self._gzip = packed if packed and len(packed) < len(body) else b""
        self._etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
        self._headers = [(b"cache-control", cache), (b"etag", self._etag), (b"vary", b"accept-encoding"), *headers]

    async def answer(self, send: Send, request_headers: MutableMapping[bytes, bytes], head: bool) -> int:
        """Returns the status sent."""
        known = request_headers.get(b"if-none-match", b"")
        if known == b"*" or self._etag in (tag.strip().removeprefix(b"W/") for tag in known.split(b",")):
            await empty(send, 304, self._headers)
            return 304
        if self._gzip and _takes_gzip(request_headers.get(b"accept-encoding", b"")):
            await answer(send, 200, self._gzip, self._type, [*self._headers, (b"content-encoding", b"gzip")], head)
        else:
            await answer(send, 200, self._body, self._type, self._headers, head)
        return 200


def _takes_gzip(accepted: bytes) -> bool:
    for item in accepted.split(b","):
        coding, _, quality = item.strip().partition(b";")
        if coding.strip().lower() in (b"gzip", b"*"):
            return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False
