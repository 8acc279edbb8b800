"""The hidden value that says a form was shown by us, and when. A program sends within a second; a person reads first.

It holds nothing about the visitor, and a form that stands on another site has none: there the page to check it over gives one.
"""

from datetime import timedelta
from enum import Enum
from uuid import UUID

from django.core import signing
from django.utils.crypto import get_random_string

from lofte.core import clock

_SALT = "lofte.web.forms"
SOONEST = timedelta(seconds=2)
LATEST = timedelta(hours=12)


class Read(Enum):
    GOOD = "good"
    NONE = "none"
    SOON = "soon"
    OLD = "old"


def stamp(form: str) -> str:
    return signing.dumps([form, int(clock.now().timestamp())], salt=_SALT)


def read(given: str, form: str) -> Read:
    if not given:
        return Read.NONE
    try:
        shown, at = signing.loads(given, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return Read.OLD
    age = clock.now().timestamp() - at
    if shown != form or age > LATEST.total_seconds():
        return Read.OLD
    return Read.SOON if age < SOONEST.total_seconds() else Read.GOOD


def number() -> str:
    """A number for one sending: the same form posted twice with it counts once."""
    return get_random_string(22)


def thanks(say: str, reference: str, ticked: bool) -> str:
    return signing.dumps([say, reference, ticked], salt=_SALT + ".thanks", compress=True)


def thanked(given: str) -> tuple[str, str, bool] | None:
    try:
        say, reference, ticked = signing.loads(given, salt=_SALT + ".thanks", max_age=int(LATEST.total_seconds()))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(say), str(reference), bool(ticked)


def number_of(text: str) -> UUID | None:
    """What a form is about, from its hidden field."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
