"""What is asked about, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lofte_client.errors import Denied, Unavailable


@dataclass(frozen=True)
class Person:
    """Somebody in the register: by the handle Löfte gave, or by one value that people are found by."""

    id: UUID | None = None
    field: str = ""
    value: str = ""
    country: str = ""

    @classmethod
    def of(cls, handle: UUID | str) -> Person:
        return cls(id=handle if isinstance(handle, UUID) else UUID(handle))

    @classmethod
    def by(cls, field: str, value: str, country: str = "") -> Person:
        """``country`` helps to read a telephone number without a country code. The token needs the scope people:find."""
        return cls(field=field, value=value, country=country)

    def __repr__(self) -> str:
        """Without the value: a person's address has no place in a log."""
        return f"Person.of({str(self.id)!r})" if self.id else f"Person.by({self.field!r}, ...)"

    def as_sent(self) -> dict[str, str]:
        if self.id is not None:
            return {"id": str(self.id)}
        named = {"field": self.field, "value": self.value}
        return named | {"country": self.country} if self.country else named


@dataclass(frozen=True)
class Decision:
    """A yes or a no. ``reason`` is a stable code and ``said`` the same in words.

    ``promise`` is the promise of the policy it rests on and ``promised`` its words, ``law`` the article, ``evidence`` the place of
    this decision in the log, ``policy`` the digest of the publication in force.
    """

    allowed: bool
    reason: str
    said: str
    promise: str
    promised: str
    law: str
    evidence: int
    policy: str
    at: datetime

    def __bool__(self) -> bool:
        return self.allowed

    def demand(self) -> Decision:
        """The same decision when it is a yes. Raises Denied when it is a no."""
        if not self.allowed:
            raise Denied(self.reason, self.said, self.promise, self.law, self.evidence)
        return self

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Decision:
        """Raises Unavailable for what is not a whole answer; a missing word is never a yes."""
        try:
            reason, said, promise, promised, law = (
                answer[name] for name in ("reason", "said", "promise", "promised", "law")
            )
            allowed, evidence, policy = answer["allowed"], answer["evidence"], answer["policy"]
            at = datetime.fromisoformat(answer["at"].replace("Z", "+00:00"))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Unavailable("the answer is not whole") from None
        if not isinstance(allowed, bool) or not all(
            isinstance(each, str) for each in (reason, said, promise, promised, law, policy)
        ):
            raise Unavailable("the answer is not whole")
        if not isinstance(evidence, int) or isinstance(evidence, bool):
            raise Unavailable("the answer is not whole")
        return cls(allowed, reason, said, promise, promised, law, evidence, policy, at)
