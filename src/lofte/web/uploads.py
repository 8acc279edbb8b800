"""Files people give to the console: held in memory and never on a disk, from staff who are signed in, up to a size.

Django's own handlers write larger files to the temporary folder in plain; what arrives here is about people.
"""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload
from django.http import HttpRequest

LARGEST = 21_000_000  # bytes of the whole form; the rooms have limits of their own below it


class Guarded(MemoryFileUploadHandler):
    def handle_raw_input(self, *given: Any, **named: Any) -> None:
        content_length = named.get("content_length", given[2] if len(given) > 2 else 0)
        if content_length > LARGEST:
            raise RequestDataTooBig("the form is larger than twenty-one million bytes")
        self.activated = True

    def new_file(self, *given: Any, **named: Any) -> None:
        if not _is_staff(self.request):
            raise StopUpload(connection_reset=False)
        super().new_file(*given, **named)


def _is_staff(request: HttpRequest | None) -> bool:
    user = getattr(request, "user", None)
    return request is not None and request.path.startswith("/console/") and bool(user and user.is_authenticated)
