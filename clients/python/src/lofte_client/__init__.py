"""Asks a Löfte installation: *may I use, send or share this for that?* Fails closed: whatever is not an answer is an exception."""

from lofte_client.client import Lofte
from lofte_client.errors import BadQuestion, Denied, LofteError, OutOfScope, TooOften, Unauthorised, Unavailable
from lofte_client.nouns import Decision, Person

__all__ = [
    "BadQuestion",
    "Decision",
    "Denied",
    "Lofte",
    "LofteError",
    "OutOfScope",
    "Person",
    "TooOften",
    "Unauthorised",
    "Unavailable",
]
__version__ = "0.1.0"
