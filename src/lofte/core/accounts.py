"""Staff accounts are made at the command line; nobody signs up to the console."""

from datetime import UTC, datetime, timedelta

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from lofte.core import clock

AUDITORS = "auditors"
"""The role of somebody from outside: not staff, sees promises and their evidence where the policy lets auditors, nothing else."""
SIGNED_IN_AT = "signed_in_at"
"""Where the session keeps when it was signed in, in seconds."""
_JUST_NOW = timedelta(minutes=5)


class StaffOnly(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **rest: object) -> bool:
        """Whoever signed in a moment ago is not asked for the password again when they enrol a second factor."""
        return not self._has_just_signed_in() and bool(super().is_reauthentication_required(app=app, **rest))

    def _has_just_signed_in(self) -> bool:
        session = getattr(self.request, "session", {})
        at = session.get(SIGNED_IN_AT, 0)
        return timedelta(0) <= clock.now() - datetime.fromtimestamp(at, UTC) < _JUST_NOW
