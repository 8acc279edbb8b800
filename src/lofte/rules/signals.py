"""What a choice means to others: the consent types of Google, Meta's consent and limited data use, Global Privacy Control.

Pure: policy, market and day in, purposes out. How a page says it is `gate.signals`; what the law of a market makes of the
browser's own signal is in its law pack (`universal_opt_out`, `consent_after_signal`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lofte.rules.known import catalogue, known_as
from lofte.rules.model import ConsentType, Id, MarketId, Policy, StorageModel, Tag
from lofte.rules.packs import find_value, law_pack

COMPLETE_REQUEST = (
    "preferences"  # every purpose with who, why and how long; neither banner nor placeholder says as much
)

Needed = tuple[Id, ...] | None
"""The purposes that must all be allowed; none of them: always; None: nothing answers for it, so never."""


@dataclass(frozen=True, slots=True)
class Signals:
    """``google`` is empty, and ``meta`` None, where the policy has no tag that would listen. ``limits_use``: the United States."""

    google: Mapping[ConsentType, Needed]
    meta: Needed
    limits_use: bool


def signals_of(policy: Policy, market: MarketId) -> Signals:
    entries = catalogue()
    listening = [(tag, entries[name]) for tag in policy.tags.values() for name in known_as(tag)]
    told = [(tag, entry.google) for tag, entry in listening if entry.google is not None]
    google: dict[ConsentType, Needed] = {}
    for kind in ConsentType if told else ():
        purposes = [tag.purpose for tag, kinds in told if kind in kinds]
        purposes += [key for key, purpose in policy.purposes.items() if kind in purpose.signals]
        if purposes or kind is ConsentType.SECURITY_STORAGE:
            google[kind] = tuple(dict.fromkeys(purposes))
        else:
            google[kind] = None
    pixels = tuple(dict.fromkeys(tag.purpose for tag, entry in listening if entry.meta))
    return Signals(google, pixels or None, policy.markets[market].country == "US")


def answered_by_signal(policy: Policy, market: MarketId) -> frozenset[Id]:
    """The purposes that Global Privacy Control says no to: sale, sharing, advertising across sites.

    W3C GPC; 4 CCR 904-3 rule 5.08. What runs until somebody objects is objected to whatever it is for.
    """
    models = policy.browser_purposes(market)
    shared = {tag.purpose for tag in policy.tags.values() if _sells(policy, tag)}
    return frozenset(
        key
        for key, model in models.items()
        if model is StorageModel.OPT_OUT or (model is not StorageModel.NECESSARY and key in shared)
    )


def granted_after_signal(
    policy: Policy, market: MarketId, granted: frozenset[Id], method: str, at: date, *, is_all: bool = False
) -> frozenset[Id]:
    """What a decision grants in a browser that sends the signal.

    An explicit yes later wins over it, except where the law asks for a complete consent request (Colorado: 6-1-1306(1)(a)(IV)(C),
    rules 5.09 and 7.05): there "accept" in a plain banner leaves off what the signal is about. ``is_all``: "accept" was pressed.
    The banner does not ask such a browser about what the signal answers, so everywhere that says yes to the rest.
    """
    if method == COMPLETE_REQUEST:
        return granted
    if is_all:
        return granted - answered_by_signal(policy, market)
    rule = find_value(law_pack(policy.markets[market].law), "consent_after_signal", at)
    if rule is None or rule.value.get("only_by") != "complete_consent_request":
        return granted
    return granted - answered_by_signal(policy, market)


def is_remembered(policy: Policy, market: MarketId, at: date) -> bool:
    """Whether the signal must be kept so that its later absence changes nothing: where something runs until somebody objects.

    On opt-in nothing runs without a yes, so there is nothing to remember, and nothing is stored.
    """
    rule = find_value(law_pack(policy.markets[market].law), "universal_opt_out", at)
    models = policy.browser_purposes(market).values()
    return rule is not None and bool(rule.value.get("keeps_after_absence")) and StorageModel.OPT_OUT in models


def _sells(policy: Policy, tag: Tag) -> bool:
    recipient = policy.recipients.get(tag.recipient)
    is_for_others = recipient is not None and recipient.role != "processor"
    return is_for_others or any(catalogue()[name].kind == "advertising" for name in known_as(tag))
