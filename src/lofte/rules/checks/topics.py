"""Topics: each can be agreed to in every market it is for, in words of its own, over every channel it uses."""

from collections.abc import Iterator

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.codes import fault
from lofte.rules.model import Basis, Id, MarketId, Policy, Topic

_REACHED_BY = {"email": "email", "sms": "phone", "phone": "phone"}


def problems(case: Case) -> Iterator[Problem]:
    for key, topic in case.policy.topics.items():
        for index, market in enumerate(topic.markets):
            if not case.is_known("markets", market):
                place = case.place("topics", key, "markets", index)
                yield fault("policy.dangling-reference", f"`{market}` is not declared in markets", place)
        if topic.purpose in case.policy.purposes:
            yield from _purpose(case, key, topic)
        elif not case.is_known("purposes", topic.purpose):
            place = case.place("topics", key, "purpose")
            yield fault("policy.dangling-reference", f"`{topic.purpose}` is not declared in purposes", place)
    yield from _own_customers(case)


def _purpose(case: Case, key: Id, topic: Topic) -> Iterator[Problem]:
    policy, place = case.policy, case.place("topics", key, "purpose")
    purpose = policy.purposes[topic.purpose]
    to_customers = {each.purpose for each in policy.outreach.own_customers}
    if purpose.scope != "person" or (purpose.basis is not Basis.CONSENT and topic.purpose not in to_customers):
        detail = f"`{key}` would be sent for `{topic.purpose}`, to which nobody has agreed"
        yield fault("topic.without-consent", detail, place, expected="a purpose of scope `person` on consent")
        return
    siblings = [each for each in policy.topics.values() if each.purpose == topic.purpose]
    needed = [_REACHED_BY[each] for each in topic.channels if each in _REACHED_BY]
    for field in needed + (["topics"] if len(siblings) > 1 else []):
        if field not in purpose.fields and case.is_known("fields", field):
            detail = f"`{key}` needs `{field}`, which `{topic.purpose}` does not use"
            yield fault("topic.missing-field", detail, place, expected=f"`{field}` among the fields of the purpose")
    if purpose.basis is Basis.CONSENT:
        for market in topic.markets or policy.markets:
            for channel in topic.channels:
                if market in policy.markets and not _can_agree(policy, topic.purpose, channel, market):
                    detail = f"nobody in {market} is asked for consent to `{topic.purpose}` by {channel}"
                    yield fault(
                        "topic.no-consent-words",
                        detail,
                        case.place("topics", key),
                        expected="a newsletter form or a box",
                    )


def _can_agree(policy: Policy, purpose: Id, channel: str, market: MarketId) -> bool:
    """Whether some form of the market asks for consent to just this: its own, or by a box."""
    for form in policy.forms.values():
        if form.markets and market not in form.markets:
            continue
        if form.kind == "newsletter" and form.purpose == purpose and channel == "email":
            return True
        if any(box.purpose == purpose and box.channel == channel for box in form.boxes):
            return True
    return False


def _own_customers(case: Case) -> Iterator[Problem]:
    policy = case.policy
    for index, each in enumerate(policy.outreach.own_customers):
        place = case.place("outreach", "own_customers", index)
        for section, name in (("purposes", each.purpose), ("relations", each.relation)):
            if not case.is_known(section, name):
                yield fault("policy.dangling-reference", f"`{name}` is not declared in {section}", place)
        purpose = policy.purposes.get(each.purpose)
        if purpose and (purpose.scope != "person" or purpose.basis is not Basis.LEGITIMATE_INTEREST):
            detail = f"`{each.purpose}` does not rest on legitimate interest"
            yield fault("topic.customers-without-interest", detail, place, expected="basis: legitimate_interest")
