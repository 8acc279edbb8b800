"""May this data be used for that? Denied unless the publication in force allows it. Pure: values in, a decision out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lofte.core.ports import Standing
from lofte.rules.model import Basis, Binding
from lofte.rules.published import Published

# The person asking for their own data, helping them to their rights, erasing what is due and searching our own stores for leaks
# are not uses the policy must declare: the law demands them.
BY_LAW = {"portal": "GDPR 15", "rights": "GDPR 12(2)", "erasure": "GDPR 17", "security": "GDPR 32(1)(d)"}
LEGAL_CLAIMS = frozenset({"legal-claims"})
"""Declared purposes that go on while a person's data is restricted (GDPR 18(2))."""

# Which promise a decision rests on: the controls to look for, first come first served, among those that name the purpose.
_CONTROLS = {
    "portal": ("portal_gives_access",),
    "rights": ("portal_gives_access", "contact_route"),
    "erasure": ("erasure_complete",),
    "security": ("data_secured",),
    "no-consent": ("newsletter_only_with_consent", "consent_recorded", "withdrawal_at_once"),
    "objected": ("legitimate_interest_balanced",),
    "restricted": ("portal_gives_access",),
    "not-their-purpose": ("data_secured",),
    "undeclared-country": ("no_transfer_outside_eea", "transfer_tool_on_file"),
    "undeclared-recipient": ("no_undeclared_disclosure",),
    "other-market": ("no_undeclared_disclosure",),
    "unknown-market": ("no_undeclared_disclosure",),
    "processor": ("no_undeclared_disclosure",),
    "authority": ("authority_decision_on_file",),
    "merger": ("transfer_case_noticed",),
}
_TRANSFER = ("transfer_tool_on_file", "no_transfer_outside_eea")
# What lets data leave, by whom it would go to: agreements with partners, decisions of authorities, notices of a sale.
_BY_ROLE = {
    "partner": ("partners_agreed",),
    "authority": ("authority_decision_on_file",),
    "controller": ("transfer_case_noticed",),
}
_AT_THE_GATE = ("agreement", "no-agreement", "purpose-not", "field-not", "country-not", "no-case", "case-")
_LAST = "purpose_limited"


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a stable code; ``promise`` the one of the policy it rests on, empty when none is; ``law`` the article."""

    allowed: bool
    reason: str
    promise: str
    law: str


def decide(
    published: Published,
    purpose: str,
    fields: Iterable[str],
    standings: Mapping[str, Standing],
    *,
    restricted: bool = False,
    may_state: frozenset[str] | None = None,
) -> Decision:
    """Whether these fields of a person may be used for a purpose, given what the person said last.

    ``restricted`` while the person has their data restricted: only storage, their own rights and legal claims go on.
    ``may_state`` are the purposes the asker's role allows; None where the asker is the person, or code with a purpose of its own.
    """

    def answer(allowed: bool, reason: str, law: str) -> Decision:
        return Decision(allowed, reason, promise_of(published, purpose, reason), law)

    declared = published.policy.purposes.get(purpose)
    is_known = purpose in BY_LAW or (declared is not None and declared.scope == "person")
    if is_known and may_state is not None and purpose not in may_state:
        return answer(False, "not-their-purpose", "GDPR 32(4)")
    if purpose in BY_LAW:
        return answer(True, "by-law", BY_LAW[purpose])
    if declared is None or declared.scope != "person":
        return answer(False, "undeclared-purpose", "GDPR 5(1)(b)")
    if not set(fields) <= set(declared.fields):
        return answer(False, "undeclared-field", "GDPR 5(1)(c)")
    if restricted and purpose not in LEGAL_CLAIMS:
        return answer(False, "restricted", "GDPR 18(2)")
    said = standings[purpose].action if purpose in standings else ""
    if declared.basis is Basis.CONSENT and said != "granted":
        return answer(False, "no-consent", "GDPR 6(1)(a)")
    if said == "objected" and declared.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        return answer(False, "objected", "GDPR 21(1)")
    return answer(True, "declared", f"GDPR 6(1)({_LETTER[declared.basis]})")


_LETTER = {
    Basis.CONSENT: "a",
    Basis.CONTRACT: "b",
    Basis.LEGAL_OBLIGATION: "c",
    Basis.VITAL_INTERESTS: "d",
    Basis.PUBLIC_TASK: "e",
    Basis.LEGITIMATE_INTEREST: "f",
}


def promise_of(published: Published, purpose: str, reason: str, role: str = "") -> str:
    """The promise a decision rests on: by the controls that keep it, the one that says most about this purpose; else P06's like.

    ``role`` is the recipient's where data would leave.
    """
    wanted = _CONTROLS.get(reason) or _CONTROLS.get(purpose if reason == "by-law" else "") or ()
    if reason.startswith("transfer-"):
        wanted = _TRANSFER
    elif reason.startswith("marketing-"):
        wanted = _CONTROLS["no-consent"]
    elif reason.startswith(_AT_THE_GATE):
        wanted = _BY_ROLE.get(role, ("no_undeclared_disclosure",))
    bound = list(_bound(published))
    for control in wanted:
        found = [(each, at) for each, at in bound if at.control == control]
        named = [each for each, at in found if purpose in _named(at)]
        if named or (found and reason not in ("no-consent", "objected")):
            return named[0] if named else found[0][0]
    if reason == "declared":
        naming = [(len(_named(at)), each) for each, at in bound if purpose in _named(at)]
        if naming:
            return min(naming)[1]
    return next((each for each, at in bound if at.control == _LAST), "")


def _bound(published: Published) -> Iterator[tuple[str, Binding]]:
    for promise, declared in sorted(published.policy.promises.items()):
        for binding in declared.controls:
            yield promise, binding


def _named(binding: Binding) -> frozenset[str]:
    """The purposes a control speaks of."""
    many, one = binding.parameters.get("purposes", ()), binding.parameters.get("purpose", "")
    return frozenset(each for each in (*many, one) if isinstance(each, str) and each)
