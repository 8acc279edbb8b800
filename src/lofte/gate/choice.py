"""The signed cookie `lofte`: what one browser chose, and nothing else. First party, strictly necessary, HttpOnly. Beside it
`lofte_on`, which the guard in the page reads.

The edge writes it when a choice is durable; the gate reads it on every page. There is no cookie before a choice.
Value: `v1.<subject>.<purposes granted, comma>.<publication, 16 hex>.<receipt index>.<HMAC-SHA256, base64url>`.
"""

import hashlib
import hmac
import os
from binascii import b2a_base64
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

NAME = "lofte"
SHOWN = "lofte_on"
"""The same choice for scripts to read, unsigned: it opens nothing a server would send, and only to whoever forged it."""
MAX_AGE_S = 180 * 24 * 3600  # refusals are kept as long as acceptances; six months is CNIL's good practice
_LARGEST_VALUE = 2048  # 32 purposes of 32 letters fit; anything longer is not ours


class Choice(NamedTuple):
    """``publication`` is the first 16 hex digits of the digest; ``index`` is the log entry that proves the choice."""

    subject: str
    granted: frozenset[str]
    publication: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks of it

    def allows(self, purpose: str) -> bool:
        return purpose in self.granted


def encode(choice: Choice, key: bytes) -> str:
    """The cookie's value. Raises nothing: purposes and subjects hold no dot, comma or semicolon by their own rules."""
    granted = ",".join(sorted(choice.granted))
    body = f"v1.{choice.subject}.{granted}.{choice.publication}.{choice.index}"
    return f"{body}.{signature(body.encode(), key)}"


def decode(cookie_header: bytes | str | None, key: bytes) -> Choice | None:
    """The latest choice in a Cookie header that our key signed; anything else is as if it were not there.

    There are two for a while where one was made for a host alone before its site shared one.
    """
    if not cookie_header:
        return None
    header = cookie_header.decode("latin-1") if isinstance(cookie_header, bytes) else cookie_header
    latest = None
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == NAME and (choice := _read(value, key)) and (latest is None or choice.index > latest.index):
            latest = choice
    return latest


def set_cookie(choice: Choice, key: bytes, secure: bool) -> str:
    """The Set-Cookie line that stores a choice for 180 days."""
    ending = "; Secure" if secure else ""
    return f"{NAME}={encode(choice, key)}; Max-Age={MAX_AGE_S}; Path=/; HttpOnly; SameSite=Lax{ending}"


def shown(choice: Choice, publication: str, *, asks: bool = False) -> str:
    """What the guard reads: `<publication, 16 hex>.<purposes granted, ~>`, and `.1` when something is asked anew."""
    return f"{publication[:16]}.{'~'.join(sorted(choice.granted))}{'.1' if asks else ''}"


def set_shown(value: str, secure: bool) -> str:
    """The Set-Cookie line that lets the page's guard know the choice, as long as the choice itself."""
    return f"{SHOWN}={value}; Max-Age={MAX_AGE_S}; Path=/; SameSite=Lax{'; Secure' if secure else ''}"


def shared(lines: Iterable[str], site: str) -> list[str]:
    """The Set-Cookie lines for all hosts of a site (empty: for this host alone), in place of what this host alone had."""
    if not site:
        return list(lines)
    return [
        half for line in lines for half in (f"{line.partition('=')[0]}=; Max-Age=0; Path=/", f"{line}; Domain={site}")
    ]


def load_root_key(home: Path) -> bytes:
    """The 32 secret bytes in `<home>/keys/subject.key`, made at the first call (mode 0600).

    Who reads this file can forge choices and subject tokens, but no log entry.
    """
    path = home / "keys" / "subject.key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) != 32:
        raise ValueError("keys/subject.key is not 32 bytes; restore it from backup, or remove it to ask everyone anew")
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all, and never over another: a second process may be starting beside us."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(os.urandom(32))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def derive_key(root: bytes, use: str) -> bytes:
    """One key a use, so that a signature made for one thing is worth nothing for another."""
    return hmac.digest(root, b"lofte/" + use.encode(), "sha256")


def choice_key(home: Path) -> bytes:
    """The key that signs the cookie."""
    return derive_key(load_root_key(home), "choice/1")


def _read(value: str, key: bytes) -> Choice | None:
    if len(value) > _LARGEST_VALUE or not value.isascii():
        return None
    body, _, mac = value.rpartition(".")
    if not hmac.compare_digest(mac, signature(body.encode(), key)):
        return None
    version, subject, granted, publication, index = body.split(".")
    if version != "v1":
        return None
    return Choice(subject, frozenset(filter(None, granted.split(","))), publication, int(index))


def signature(body: bytes, key: bytes) -> str:
    """HMAC-SHA256 in base64url without padding; the key is 32 bytes.

    Over prepared pads: `hmac.digest` looks its algorithm up in OpenSSL 3 at every call, 16 us against 2.
    """
    inner, outer = _pads(key)
    inside = inner.copy()
    inside.update(body)
    whole = outer.copy()
    whole.update(inside.digest())
    return b2a_base64(whole.digest(), newline=False).translate(_URLSAFE)[:43].decode()


@lru_cache(maxsize=16)
def _pads(key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """RFC 2104: SHA-256 that has swallowed the inner and the outer key block."""
    block = key.ljust(64, b"\0")
    return hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))


_URLSAFE = bytes.maketrans(b"+/", b"-_")
_INNER = bytes(value ^ 0x36 for value in range(256))
_OUTER = bytes(value ^ 0x5C for value in range(256))
