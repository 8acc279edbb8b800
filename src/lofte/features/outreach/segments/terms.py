"""What a segment may ask, by the policy in force: the fields of its purpose and nothing else (GDPR 5(1)(b) and (c)).

Raises `Problem` with these codes: `segments.no-conditions`, `segments.purpose`, `segments.field`, `segments.value`, `segments.how`,
`segments.words`.
"""

from collections.abc import Iterator, Sequence

from lofte.features.outreach.segments.matching import HOWS, KINDS, Condition, How, plain
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis, DataField, Policy

MOST_CONDITIONS = 24
LONGEST_VALUE = 120
LONGEST_AGO = 3660  # days
FEWEST_DAYS = 1
_NEVER_ASKED = frozenset({"dialogue", "device"})  # what somebody wrote to us, and what a browser carries, sorts nobody
_TEXT: tuple[How, ...] = ("is", "contains", "begins", "held")


def purposes(policy: Policy) -> list[str]:
    """The purposes a segment can be for: those people subscribe to something for."""
    found = dict.fromkeys(topic.purpose for topic in policy.topics.values())
    if not found:
        found = dict.fromkeys(each.purpose for each in policy.forms.values() if each.kind in ("newsletter", None))
    return [
        each
        for each in found
        if policy.purposes[each].scope == "person" and policy.purposes[each].basis is not Basis.LEGAL_OBLIGATION
    ]


def kinds(policy: Policy, purpose: str) -> list[str]:
    """The kinds of condition this purpose allows."""
    declared = policy.purposes[purpose].fields
    return [each for each in KINDS if not (uses := Condition(each).uses) or uses in declared]


def fields(policy: Policy, purpose: str) -> dict[str, tuple[How, ...]]:
    """The fields a condition may ask for, and how."""
    return {
        key: _hows(policy.fields[key])
        for key in policy.purposes[purpose].fields
        if policy.fields[key].category not in _NEVER_ASKED and _hows(policy.fields[key])
    }


def _hows(shape: DataField) -> tuple[How, ...]:
    match shape.kind:
        case "email":
            return ("domain",)
        case "name" | "text":
            return _TEXT
        case "choice" if shape.category != "preference":
            return ("is", "held")
        case "phone" | "number" | "date":
            return ("held",)
        case _:
            return ()


def signals(policy: Policy) -> list[str]:
    """The kinds of interest the clocks of the policy know."""
    return list(dict.fromkeys(kind for each in policy.clocks.values() for kind in each.signals))


def demand(policy: Policy, purpose: str, conditions: Sequence[Condition]) -> None:
    """Raises the first Problem there is with a segment."""
    for problem in faults(policy, purpose, conditions):
        raise problem


def faults(policy: Policy, purpose: str, conditions: Sequence[Condition]) -> Iterator[Problem]:
    """Everything a segment asks that the policy does not allow."""
    if purpose not in purposes(policy):
        yield Problem(
            "segments.purpose",
            "people subscribe to nothing for this purpose",
            Place(key="purpose"),
            law="GDPR 5(1)(b)",
            status=422,
        )
        return
    if not conditions or len(conditions) > MOST_CONDITIONS:
        yield Problem("segments.no-conditions", "a segment has one to twenty-four conditions", status=422)
    for each in conditions:
        yield from _faults_of(policy, purpose, each)


def _faults_of(policy: Policy, purpose: str, condition: Condition) -> Iterator[Problem]:
    of = condition.of
    if of not in KINDS:
        yield _bad("segments.field", "there is no such kind of condition", of)
        return
    if condition.uses and condition.uses not in policy.purposes[purpose].fields:
        yield _bad(
            "segments.field", f"the purpose {purpose} does not use {condition.uses}", condition.uses, "GDPR 5(1)(c)"
        )
        return
    if of == "field":
        yield from _faults_of_field(policy, purpose, condition)
        return
    known = {
        "market": list(policy.markets), "locale": policy.locales(), "relation": list(policy.relations),
        "topic": list(policy.topics), "interest": signals(policy),
    }.get(of)  # fmt: skip
    if not condition.values or (known is not None and not set(condition.values) <= set(known)):
        yield _bad("segments.value", "the policy has no such value", of)
    if of == "interest" and not FEWEST_DAYS <= condition.days <= LONGEST_AGO:
        yield _bad("segments.value", "an interest is of the latest days", "days")


def _faults_of_field(policy: Policy, purpose: str, condition: Condition) -> Iterator[Problem]:
    allowed = fields(policy, purpose)
    if condition.field not in allowed:
        yield _bad("segments.field", "people are not sorted by this field", condition.field, "GDPR 5(1)(c)")
    elif condition.how not in HOWS or condition.how not in allowed[condition.field]:
        yield _bad("segments.how", "the field is not asked for in this way", condition.field)
    elif condition.how != "held" and not _are_words(condition.values):
        yield _bad("segments.words", "the condition needs words to look for", condition.field)


def _are_words(values: Sequence[str]) -> bool:
    return bool(values) and all(plain(each) and len(each) <= LONGEST_VALUE for each in values)


def _bad(code: str, detail: str, key: str, law: str = "") -> Problem:
    return Problem(code, detail, Place(key=key), law=law, status=422)
