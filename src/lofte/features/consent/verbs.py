"""Consent given, withdrawn, objected: each an appended event and a fact for the evidence log."""

from uuid import UUID


def grant(person_id: UUID, purpose: str, *, market: str, locale: str, shown: str, method: str) -> UUID:
    """Record a consent to a purpose of the current publication.

    ``shown`` names the wording the person saw (``form.newsletter``), ``method`` how they agreed (``double_opt_in``, ``portal``).
    """
    raise NotImplementedError


def withdraw(person_id: UUID, purpose: str, *, method: str) -> UUID:
    """Record that a consent is taken back. Effective at once; a second withdrawal returns the first one's id."""
    raise NotImplementedError


def object_to(person_id: UUID, purpose: str, *, method: str) -> UUID:
    """Record an objection to a use on legitimate interest (GDPR 21)."""
    raise NotImplementedError
