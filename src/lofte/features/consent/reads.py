"""Does this person agree, now?"""

from uuid import UUID


def is_granted(person_id: UUID, purpose: str) -> bool:
    """Whether the latest event on this purpose is a grant."""
    raise NotImplementedError
