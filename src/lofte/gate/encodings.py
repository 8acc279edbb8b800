"""A page's bytes, unpacked, and in an encoding whose ASCII is ASCII: what the scanner reads."""

import codecs
import re
import zlib
from collections.abc import Iterator
from typing import Any

import brotli

READ = frozenset((b"identity", b"", b"gzip", b"x-gzip", b"deflate", b"br"))
"""Content-Encodings that are unpacked here. A page in another is stopped by `upstream`; from an application in this process it
passes unread, behind the Content Security Policy alone."""
UNREADABLE = (OSError, EOFError, zlib.error, brotli.error, UnicodeError, LookupError)
_CHARSET = re.compile(rb"(?i)charset\s*=\s*[\"']?([a-z0-9_.:-]+)")
_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-z0-9_.:-]+)")
_NOT_ASCII = frozenset(("utf-16", "utf-16le", "utf-16be", "utf-32", "iso-2022-jp", "hz-gb-2312", "utf-7"))
_PIECE = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Unpacker:
    """Takes a body as it comes; gives it unpacked in pieces of some 256 kB, however much a few bytes turn out to be."""

    def __init__(self, encoding: bytes) -> None:
        self._encoding = encoding
        self._packed: Any = {b"gzip": _zlib(_GZIP), b"x-gzip": _zlib(_GZIP), b"deflate": _zlib(zlib.MAX_WBITS)}.get(
            encoding
        )
        self._brotli = brotli.Decompressor() if encoding == b"br" else None
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._brotli is not None:
            yield from self._from_brotli(data)
        elif self._packed is not None:
            yield from self._from_zlib(data)
        elif data:
            yield data

    def end(self) -> None:
        """Raises EOFError when something is missing."""
        if self._has_begun and not (
            self._brotli.is_finished() if self._brotli else self._packed is None or self._packed.eof
        ):
            raise EOFError

    def _from_brotli(self, data: bytes) -> Iterator[bytes]:
        assert self._brotli is not None
        self._has_begun = self._has_begun or bool(data)
        while data or not self._brotli.is_finished():
            piece = self._brotli.process(data, output_buffer_limit=_PIECE)
            data = b""
            if piece:
                yield piece
            elif self._brotli.can_accept_more_data():
                return

    def _from_zlib(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._packed.eof:  # gzip may be several, one after another
                self._packed = _zlib(_GZIP)
            try:
                piece = self._packed.decompress(data, _PIECE)
            except zlib.error:
                if self._encoding != b"deflate" or self._has_begun:
                    raise
                self._packed = _zlib(-zlib.MAX_WBITS)  # what some servers call deflate is bare
                piece = self._packed.decompress(data, _PIECE)
            self._has_begun = True
            if piece:
                yield piece
            data = self._packed.unconsumed_tail or self._packed.unused_data
            if self._packed.eof and (self._encoding == b"deflate" or not data.startswith(b"\x1f\x8b")):
                return  # padding behind the end


def _zlib(bits: int) -> Any:
    return zlib.decompressobj(bits)


def reading(start: bytes, content_type: bytes) -> tuple[str, bytes]:
    """How to read a page that begins so: the encoding to turn into UTF-8 (empty: its ASCII is ASCII already), and the
    Content-Type to send with it (empty: as it was).

    Our insertions push a `<meta charset>` past the 1024 bytes browsers look through, so it moves to the header.
    """
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", b"text/html; charset=utf-8"
    named = _CHARSET.search(content_type) or _META_CHARSET.search(start[:1024])
    charset = named.group(1).decode("ascii").lower() if named else ""
    media = content_type.partition(b";")[0].strip()
    if charset in _NOT_ASCII:
        # HTML 13.2.3.2: a meta that claims UTF-16 was itself read as ASCII
        return charset if _CHARSET.search(content_type) else "", media + b"; charset=utf-8"
    if start.startswith(b"\xef\xbb\xbf"):
        return "", media + b"; charset=utf-8"
    return "", b"" if _CHARSET.search(content_type) or not charset else media + b"; charset=" + charset.encode()


class Recoder:
    """Turns a page that comes in pieces into UTF-8; passes it on as it is where there is nothing to turn."""

    def __init__(self, charset: str) -> None:
        self._decoder = codecs.getincrementaldecoder(charset)() if charset else None

    def feed(self, data: bytes, *, is_last: bool = False) -> bytes:
        return self._decoder.decode(data, is_last).encode() if self._decoder else data


def as_ascii_compatible(page: bytes, content_type: bytes) -> tuple[bytes, bytes]:
    """The page as bytes whose ASCII is ASCII, and the Content-Type to send with it (empty: as it was)."""
    charset, content_type = reading(page, content_type)
    return (page.decode(charset).encode() if charset else page), content_type
