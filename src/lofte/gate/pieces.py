"""Cuts a long page between its tokens while it is still coming, so that each piece can be judged by itself."""

from lofte.gate.tags import Context, whole_until

_AT_LEAST = 64 * 1024
MOST_WAITING = 8 * 1024 * 1024


class Pieces:
    """Pieces put together are the page, but for a token that does not end within 8 MB: its `<` becomes text.

    ``context`` is the one of whoever reads the pieces, as it is after the last.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._enough = _AT_LEAST
        self.context = Context()

    def feed(self, data: bytes, *, is_last: bool = False) -> bytes:
        """The next piece, or nothing while it cannot be told how what has come goes on."""
        self._waiting += data
        if is_last:
            return bytes(self._waiting)
        if len(self._waiting) < self._enough:
            return b""
        page = bytes(self._waiting)
        sure = whole_until(page, self.context)
        piece, rest = page[:sure], page[sure:]
        if len(rest) > MOST_WAITING:
            piece, rest = piece + rest[:1].replace(b"<", b"&lt;"), rest[1:]
            self._enough = 0
        else:
            self._enough = len(rest) * 2 + _AT_LEAST  # what does not end yet is not looked at again for each packet
        self._waiting = bytearray(rest)
        return piece
