"""May this data be used for that? Denied unless the publication in force allows it. Pure: values in, a decision out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lofte.core.ports import Standing
from lofte.rules.model import Basis
from lofte.rules.published import Published

# The person asking for their own data, and erasing what is due, are not uses the policy must declare: the law demands them.
BY_LAW = {"portal": "GDPR 15", "rights": "GDPR 12(2)", "erasure": "GDPR 17"}


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a stable code; ``law`` the article it rests on."""

    allowed: bool
    reason: str
    law: str


def may_use(published: Published, purpose: str, fields: Iterable[str], standings: Mapping[str, Standing]) -> Decision:
    """Whether these fields of a person may be used for a purpose, given what the person said about it last."""
    if purpose in BY_LAW:
        return Decision(True, "by-law", BY_LAW[purpose])
    declared = published.policy.purposes.get(purpose)
    if declared is None or declared.scope != "person":
        return Decision(False, "undeclared-purpose", "GDPR 5(1)(b)")
    if not set(fields) <= set(declared.fields):
        return Decision(False, "undeclared-field", "GDPR 5(1)(c)")
    said = standings[purpose].action if purpose in standings else ""
    if declared.basis is Basis.CONSENT and said != "granted":
        return Decision(False, "no-consent", "GDPR 6(1)(a)")
    if said == "objected" and declared.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        return Decision(False, "objected", "GDPR 21(1)")
    return Decision(True, "declared", "GDPR 6(1)")
