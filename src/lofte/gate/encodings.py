"""A page's bytes, unpacked, and in an encoding whose ASCII is ASCII: what the scanner reads."""

import gzip
import re
import zlib

READ = frozenset((b"identity", b"", b"gzip", b"x-gzip", b"deflate"))
"""Content-Encodings that are unpacked here; anything else passes unread, behind the Content Security Policy alone."""
UNREADABLE = (OSError, EOFError, zlib.error, UnicodeError, LookupError)
_CHARSET = re.compile(rb"(?i)charset\s*=\s*[\"']?([a-z0-9_.:-]+)")
_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-z0-9_.:-]+)")
_NOT_ASCII = frozenset(("utf-16", "utf-16le", "utf-16be", "utf-32", "iso-2022-jp", "hz-gb-2312", "utf-7"))


def unpacked(body: bytes, encoding: bytes) -> bytes:
    if encoding in (b"gzip", b"x-gzip"):
        return gzip.decompress(body)
    if encoding == b"deflate":
        try:
            return zlib.decompress(body)
        except zlib.error:
            return zlib.decompress(body, -zlib.MAX_WBITS)
    return body


def as_ascii_compatible(page: bytes, content_type: bytes) -> tuple[bytes, bytes]:
    """The page as bytes whose ASCII is ASCII, and the Content-Type to send with it (empty: as it was).

    Our insertions push a `<meta charset>` past the 1024 bytes browsers look through, so it moves to the header.
    """
    if page.startswith((b"\xff\xfe", b"\xfe\xff")):
        return page.decode("utf-16").encode(), b"text/html; charset=utf-8"
    named = _CHARSET.search(content_type) or _META_CHARSET.search(page[:1024])
    charset = named.group(1).decode("ascii").lower() if named else ""
    media = content_type.partition(b";")[0].strip()
    if charset in _NOT_ASCII:
        if not _CHARSET.search(content_type):
            charset = "utf-8"  # HTML 13.2.3.2: a meta that claims UTF-16 was itself read as ASCII
            return page, media + b"; charset=utf-8"
        return page.decode(charset).encode(), media + b"; charset=utf-8"
    if page.startswith(b"\xef\xbb\xbf"):
        return page, media + b"; charset=utf-8"
    return page, b"" if _CHARSET.search(content_type) or not charset else media + b"; charset=" + charset.encode()
