"""Files people give to us: held in memory and never on a disk, from staff who are signed in, and with forms that take files.

Django's own handlers write larger files to the temporary folder in plain; what arrives here is about people.
"""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from lofte.features.outreach.forms import specs
from lofte.kernel.problems import Problem

LARGEST = 21_000_000  # bytes of the whole form; the rooms have limits of their own below it
LARGEST_SENT = 60_000_000  # bytes; so much of a public form is read, without its files, to say that they are too large
TOO_LARGE = "lofte.files_too_large"


class Guarded(MemoryFileUploadHandler):
    def handle_raw_input(self, *given: Any, **named: Any) -> None:
        content_length = named.get("content_length", given[2] if len(given) > 2 else 0)
        self._skips = content_length > LARGEST
        if self._skips and (content_length > LARGEST_SENT or not _takes_files(self.request)):
            raise RequestDataTooBig("the form is larger than twenty-one million bytes")
        if self._skips and self.request is not None:
            self.request.META[TOO_LARGE] = "1"
        self.activated = True

    def new_file(self, *given: Any, **named: Any) -> None:
        if not (_is_staff(self.request) or _takes_files(self.request)):
            raise StopUpload(connection_reset=False)
        if self._skips:
            raise SkipFile
        super().new_file(*given, **named)


def _is_staff(request: HttpRequest | None) -> bool:
    user = getattr(request, "user", None)
    return request is not None and request.path.startswith("/console/") and bool(user and user.is_authenticated)


def _takes_files(request: HttpRequest | None) -> bool:
    """Whether the request is for a form that takes files."""
    parts = request.path.removeprefix("/api").strip("/").split("/") if request is not None else []
    if len(parts) != 4 or parts[0] != "forms":
        return False
    try:
        return specs.find(parts[1].upper(), parts[2], parts[3]).files > 0
    except Problem:
        return False
