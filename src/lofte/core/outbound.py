"""The one door for outgoing HTTP: timeouts, no redirects, a bound on answers, and no way into the private network (SSRF).

A name is resolved once, its addresses are checked, and the connection goes to the checked address; so a name that resolves
differently the second time gains nothing. Names in LOFTE_OUTBOUND may be private (a mailbox, a stand-in host).
"""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit, urlunsplit

import httpx2
from django.conf import settings

from lofte.kernel.problems import Problem

_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_LARGEST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    also: frozenset[str] = frozenset(),
) -> Answer:
    """One request, one answer. ``also`` are private host names this caller may reach (its own configuration, never user input).

    Raises Problem `outbound.refused` for an address that is not allowed and `outbound.failed` when there is no answer.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise Problem("outbound.refused", "only plain http and https addresses are reached", status=502)
    address = _checked_address(parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80), also)
    host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    shown = f"[{address}]" if ":" in address else address
    target = urlunsplit(
        (parts.scheme, shown if parts.port is None else f"{shown}:{parts.port}", parts.path or "/", parts.query, "")
    )
    sent = {**(headers or {}), "Host": host}
    try:
        verify = (
            _tls() if parts.scheme == "https" else False
        )  # plain http has nothing to verify; a context costs milliseconds
        with httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, verify=verify) as client:
            made = client.build_request(
                method, target, headers=sent, content=content, extensions={"sni_hostname": parts.hostname}
            )
            answer = client.send(made, stream=True)
            try:
                return Answer(answer.status_code, dict(answer.headers), _bounded(answer))
            finally:
                answer.close()
    except httpx2.HTTPError as error:
        raise Problem(
            "outbound.failed", f"no answer from {parts.hostname}: {type(error).__name__}", status=502
        ) from None


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def get(url: str, *, headers: Mapping[str, str] | None = None, also: frozenset[str] = frozenset()) -> Answer:
    return request("GET", url, headers=headers, also=also)


def post(
    url: str, content: bytes, *, headers: Mapping[str, str] | None = None, also: frozenset[str] = frozenset()
) -> Answer:
    return request("POST", url, content=content, headers=headers, also=also)


def _checked_address(host: str, port: int, also: frozenset[str]) -> str:
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError:
        raise Problem("outbound.failed", f"{host} has no address", status=502) from None
    if host in settings.LOFTE_OUTBOUND | also:
        return found[0]
    for address in found:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise Problem(
                "outbound.refused", f"{host} is inside a private network",
                way_out="Name the host in LOFTE_OUTBOUND if it is meant to be reached.", status=502,
            )  # fmt: skip
    return found[0]


def _bounded(answer: httpx2.Response) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > _LARGEST_BYTES:
            raise Problem("outbound.failed", "the answer is larger than it may be", status=502)
    return bytes(body)
