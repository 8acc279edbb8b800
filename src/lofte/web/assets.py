"""Style sheet and mark under an address that changes with their content, so that an upgrade is seen at once."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage

_DIGITS = 12


class Hashed(StaticFilesStorage):
    """`{% static %}` writes ``/static/lofte/lofte.css?v=<start of the SHA-256>``."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        digest = _digest(name or "")
        return f"{address}?v={digest}" if digest else address


@cache
def _digest(name: str) -> str:
    found = finders.find(name)
    return sha256(Path(found).read_bytes()).hexdigest()[:_DIGITS] if isinstance(found, str) else ""
