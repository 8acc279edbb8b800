"""May this message or call go to this person? By market, channel, person and conditions, from the law packs.

An objection always ends it (GDPR and UK GDPR 21(3)); a channel the pack has no rule for needs consent. Worked cases:
tests/rules/cases/marketing.yaml.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from lofte.rules.holidays import public_holidays, weekdays_after
from lofte.rules.packs import LawPack, LawValue, values_at
from lofte.rules.ruling import Note, Ruling, notes_of

_SUNDAY = 6


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"  # and MMS
    FAX = "fax"
    AUTOMATED_CALL = "automated_call"
    LIVE_CALL = "live_call"
    POST = "post"


class Who(StrEnum):
    """Whom the address belongs to. The packs say who of these counts as a person."""

    NATURAL = "natural"
    SOLE_TRADER = "sole_trader"
    PARTNERSHIP = "partnership"
    WORK_ADDRESS = "work_address"  # a named person at a company
    COMPANY = "company"  # a legal person's own mailbox or number


@dataclass(frozen=True, slots=True)
class Approach:
    """What is known of one message or call. A fact not given is a fact not shown.

    ``address_from`` is how the address was come by: sale, negotiations, interest, support. ``own_similar`` says that own similar
    goods are offered, or a charity's own purposes furthered. ``in_register`` is a national register of those who
    refuse calls, ``register_read`` when it was last read for this person. ``selling`` names a kind of goods with its own rule.
    """

    channel: Channel
    who: Who
    has_consent: bool = False
    objected: bool = False
    asked_for: bool = False
    address_from: str = ""
    address_obtained: date | None = None
    own_similar: bool = False
    from_charity: bool = False
    optout_at_collection: bool = False
    optout_in_message: bool = False
    sender_shown: bool = False
    postal_address: bool = False
    in_register: bool = False
    register_read: date | None = None
    selling: str = ""


def may_approach(pack: LawPack, approach: Approach, at: datetime) -> Ruling:
    """Whether the message or call may go out at this time.

    Sources by market: MFL 19-21 (SE), mfl 12-15 (NO), SVPL 200-203 (FI), PECR 19-23 (GB), 15 USC 7704 and 47 USC 227 (US).
    """
    local = at.astimezone(ZoneInfo(pack.zone))
    rules = _rules(pack, approach, local.date())
    main = _main(rules)
    if approach.objected:
        law = _objection_law(pack, approach, main)
        return Ruling(False, "objection", "marketing.objected", law, () if law else (Note("no_rule"),))
    if main is None and not approach.has_consent:
        return Ruling(False, "opt_in", "marketing.no_rule", "", (Note("no_rule"),))
    for row in rules:
        missing = next((fact for fact in row.value.get("requires", ()) if not getattr(approach, fact)), None)
        if missing:
            return _denied(row.value.get("model", "message"), f"marketing.{missing}_missing", row.citation, [row])
    closed = _closed(pack, rules, local)
    if closed:
        return _denied("closed", "marketing.closed_hours", closed.citation, [closed])
    if approach.has_consent:
        citation = main.citation if main else "GDPR 6(1)(a)"
        return Ruling(True, "consent", "marketing.consent", citation, notes_of([main] if main else []))
    assert main is not None
    return _JUDGES[main.value["model"]](approach, main, rules, local.date())


def stop_by(pack: LawPack, channel: Channel, objected: datetime) -> date:
    """The last day a message may still go out after somebody said no: at once, or ten business days in the United States.

    Business days are Monday to Friday and no holiday is skipped, which ends earlier. Sources: GDPR 21(3); 15 USC 7704(a)(4);
    47 CFR 64.1200(a)(10).
    """
    day = objected.astimezone(ZoneInfo(pack.zone)).date()
    rows = values_at(pack, "marketing_", day)
    counts = [
        row.value["stop_within_business_days"]
        for row in rows
        if isinstance(row.value, Mapping) and "stop_within_business_days" in row.value
        and channel.value in row.value.get("channels", ("sms", "automated_call"))
    ]  # fmt: skip
    return weekdays_after(day, min(counts)) if counts else day


def counts_as_person(pack: LawPack, who: Who, at: date) -> bool:
    """Whether the law protects this address as a person's; when the pack does not say, yes."""
    listed = [row.value["persons"] for row in values_at(pack, "marketing_email", at) if "persons" in row.value]
    return who is Who.NATURAL or (who is not Who.COMPANY and (not listed or any(who in kinds for kinds in listed)))


def _rules(pack: LawPack, approach: Approach, at: date) -> list[LawValue]:
    """The rows that speak of this channel and person, exceptions and conditions included."""
    to = {"everyone", "persons" if counts_as_person(pack, approach.who, at) else "companies"}
    if approach.who is Who.NATURAL:
        to.add("consumers")
    return [
        row
        for row in values_at(pack, "marketing_", at)
        if isinstance(row.value, Mapping)
        and row.value.get("to") in to
        and approach.channel in row.value.get("channels", ())
        and row.value.get("selling", approach.selling) == approach.selling
    ]


def _main(rules: list[LawValue]) -> LawValue | None:
    """The strictest rule that is no exception: one about special goods before the general one."""
    found = [row for row in rules if row.value.get("model") in _JUDGES]
    return min(found, key=lambda row: list(_JUDGES).index(row.value["model"]), default=None)


def _opt_in(approach: Approach, main: LawValue, rules: list[LawValue], at: date) -> Ruling:
    exceptions = [row for row in rules if row.value.get("model") == "soft_opt_in"]
    for row in exceptions:
        if _lacking(approach, row) == "":
            return Ruling(True, "soft_opt_in", "marketing.own_customer", row.citation, notes_of([row]))
    meant = [row for row in exceptions if (row.value.get("sender") == "charity") is approach.from_charity]
    lacking = next((_lacking(approach, row) for row in meant), "no_consent")
    reason = lacking if approach.address_from else "no_consent"
    return _denied("opt_in", f"marketing.{reason}", main.citation, [main])


def _lacking(approach: Approach, row: LawValue) -> str:
    """The first condition of an own-customer exception that is not met, empty when all are."""
    value = row.value
    if value.get("sender") == "charity" and not approach.from_charity:
        return "not_a_charity"
    if approach.address_from not in value["address_from"]:
        return "address_not_from_sale"
    if value.get("obtained_from_start") and not _obtained_since(approach, row):
        return "address_too_old"
    if not approach.own_similar:
        return "goods_not_similar"
    if not approach.optout_at_collection:
        return "no_optout_at_collection"
    return "" if approach.optout_in_message else "optout_in_message_missing"


def _obtained_since(approach: Approach, row: LawValue) -> bool:
    obtained = approach.address_obtained
    return obtained is not None and row.valid_from is not None and obtained >= row.valid_from


def _opt_out(approach: Approach, main: LawValue, rules: list[LawValue], at: date) -> Ruling:
    """Allowed until somebody says no, in the national register where the law keeps one."""
    register = main.value.get("register")
    guarded = register == "everyone" or (register == "consumers" and approach.who is Who.NATURAL)
    customer = approach.address_from == "sale" and approach.own_similar and "customer_overrides_register" in main.value
    if guarded and not customer:
        if approach.in_register:
            return _denied("opt_out", "marketing.in_register", main.citation, [main])
        read = approach.register_read
        if read is None or (read.year, read.month) != (at.year, at.month):
            return _denied("opt_out", "marketing.register_not_read", main.citation, [main])
    return Ruling(True, "opt_out", "marketing.not_objected", main.citation, notes_of([main]))


def _outside(approach: Approach, main: LawValue, rules: list[LawValue], at: date) -> Ruling:
    return Ruling(True, "outside", "marketing.outside", main.citation, notes_of([main]))


def _only_if_asked(approach: Approach, main: LawValue, rules: list[LawValue], at: date) -> Ruling:
    if approach.asked_for:
        return Ruling(True, "only_if_asked", "marketing.asked_for", main.citation, notes_of([main]))
    return _denied("only_if_asked", "marketing.not_asked_for", main.citation, [main])


# Strictest first: of two rules for one message the earlier here decides.
_JUDGES: Mapping[str, Callable[[Approach, LawValue, list[LawValue], date], Ruling]] = {
    "only_if_asked": _only_if_asked,
    "opt_in": _opt_in,
    "opt_out": _opt_out,
    "outside": _outside,
}


def _closed(pack: LawPack, rules: list[LawValue], local: datetime) -> LawValue | None:
    """The rule that closes this day or hour for calls, if any. Sundays are holidays (mfl 14)."""
    for row in rules:
        hours = row.value
        if "from" not in hours:
            continue
        holiday = local.weekday() == _SUNDAY or local.date() in public_holidays(pack.country, local.year)
        day_off = holiday or (local.weekday() == _SUNDAY - 1 and "saturday" in hours["closed"])
        if day_off or not time.fromisoformat(hours["from"]) <= local.time() <= time.fromisoformat(hours["until"]):
            return row
    return None


def _denied(by: str, reason: str, citation: str, rows: list[LawValue]) -> Ruling:
    return Ruling(False, by, reason, citation, notes_of(rows))


def _objection_law(pack: LawPack, approach: Approach, main: LawValue | None) -> str:
    absolute = {"eu": "GDPR 21(3)", "no": "GDPR 21(3)", "gb": "UK GDPR 21(3)"}.get(pack.regime)
    if absolute and approach.who is not Who.COMPANY:
        return absolute
    return main.citation if main else absolute or ""
