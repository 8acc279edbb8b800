"""`/lofte/static/<name>`: style sheets and scripts, read into memory when the process starts."""

from collections.abc import Iterable
from pathlib import Path

from lofte.edge.answers import Frozen, Send
from lofte.edge.requests import Request
from lofte.kernel.problems import Problem

OWN = Path(__file__).parent / "static"
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".woff2": b"font/woff2",
    ".png": b"image/png",
    ".json": b"application/json",
}
_CACHE = b"public, max-age=3600"


class Static:
    """Files of the folders by bare name; a later folder overrides an earlier one."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = {
            file.name: Frozen(file.read_bytes(), _TYPES[file.suffix], _CACHE)
            for folder in folders
            for file in sorted(folder.iterdir())
            if file.is_file() and file.suffix in _TYPES
        }

    async def __call__(self, request: Request, send: Send, name: str) -> int:
        found = self._files.get(name)
        if found is None:
            raise Problem("static.missing", "there is no such file", status=404)
        return await found.answer(send, request.headers, request.is_head)
