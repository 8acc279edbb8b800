"""Points in time as values.

The clock itself is read only by doors and by `core.clock`; everyone else is handed `at`.
"""

from datetime import UTC, datetime


def rfc3339(at: datetime) -> str:
    """The instant in UTC with whole seconds, as RFC 3339 writes it: ``2026-11-22T12:36:01Z``."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_rfc3339(text: str) -> datetime:
    """The instant an RFC 3339 text names. Raises ValueError when the text has no zone or is no date."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {text!r}")
    return at.astimezone(UTC)
