"""What stands behind a frame's address: which declared frame it is, where its picture is, where a person can open it.

Pure. An address is recognised only when a tag of the publication declares it; what nobody declared has no picture.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from lofte.kernel.canonical import sha256_hex
from lofte.rules.model import Frame, Id, Policy, Tag

ID = "{id}"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Known:
    """A frame of a declared kind. ``id`` is what stood for ``{id}``, empty where the kind has none."""

    tag: Id
    frame: Frame
    id: str

    @property
    def page(self) -> str | None:
        return self.frame.page and self.frame.page.replace(ID, self.id)

    @property
    def poster(self) -> str | None:
        """Where the server may fetch the picture."""
        return self.frame.poster and self.frame.poster.replace(ID, self.id)

    @property
    def loads(self) -> str | None:
        return self.frame.loads and self.frame.loads.replace(ID, self.id)


def known(policy: Policy, address: str, meant: Mapping[str, str] | None = None) -> Known | None:
    """The declared frame behind an absolute or protocol-relative address; ``meant`` maps stand-in hosts to declared ones."""
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if not host or parts.scheme not in ("", "http", "https"):
        return None
    host = (meant or {}).get(host, host)
    for tag, frame, declared in _declared(policy):
        found = _path(declared).fullmatch(parts.path or "/")
        if found and host_in(declared) == host:
            return Known(tag, frame, found.group(1) if found.groups() else "")
    return None


def poster_of(policy: Policy, tag: Id, name: str) -> str | None:
    """The source of a poster by tag and id; None unless the policy declares one and the id has the shape of one."""
    if not _ID.fullmatch(name):
        return None
    frames = policy.tags[tag].frames if tag in policy.tags else []
    return next((frame.poster.replace(ID, name) for frame in frames if frame.poster and ID in frame.poster), None)


def shelved_as(source: str) -> str:
    """The file name of a poster in `<home>/posters`; another source is another file."""
    return sha256_hex(source.encode())[:32]


def picture_type(content: bytes) -> str | None:
    """The media type of a picture browsers draw and cannot run, told by its first bytes; None for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def tags_of_host(policy: Policy, host: str) -> list[Tag]:
    return [tag for tag in policy.tags.values() if any(names_host(pattern, host) for pattern in tag.hosts)]


def host_in(address: str) -> str:
    return (urlsplit(address).hostname or "").lower()


def names_host(pattern: str, host: str) -> bool:
    """Whether a declared pattern names this host; ``*.`` covers sub-domains only, ports do not count."""
    bare = pattern.partition(":")[0]
    return host.endswith(bare[1:]) if bare.startswith("*.") else host == bare


def _declared(policy: Policy) -> Iterator[tuple[Id, Frame, str]]:
    return (
        (key, frame, address) for key, tag in policy.tags.items() for frame in tag.frames for address in frame.addresses
    )


@cache
def _path(address: str) -> re.Pattern[str]:
    before, *after = (re.escape(part) for part in (urlsplit(address).path or "/").split(ID))
    return re.compile(before + "".join(f"({_ID.pattern}){part}" for part in after) + "/?")
