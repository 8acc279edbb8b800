"""May this be stored on, or read from, a person's device? By market, use and what the person chose, from the law packs.

The market of the visitor decides, never the language of the page. Consent and refusal come from the caller's records; nothing here
remembers. Worked cases: tests/rules/cases/devices.yaml.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from lofte.rules.packs import LawPack, LawValue, find_value, value_at
from lofte.rules.ruling import Ruling, notes_of


class Use(StrEnum):
    """What something on a device is for.

    ``REQUESTED_SERVICE`` is what the person asked for, sign-in and basket included; the finer names after it are those of the
    schedule in the United Kingdom, which no other market exempts by name.
    """

    TRANSMISSION = "transmission"
    REQUESTED_SERVICE = "requested_service"
    SECURITY = "security"
    FRAUD_PREVENTION = "fraud_prevention"
    FAULT_FINDING = "fault_finding"
    SIGN_IN = "sign_in"
    REMEMBERED_CHOICES = "remembered_choices"
    EMERGENCY_LOCATION = "emergency_location"
    OWN_STATISTICS = "own_statistics"
    APPEARANCE = "appearance_and_functionality"
    TARGETED_ADS = "targeted_ads"
    SALE = "sale"
    PROFILING = "significant_profiling"
    OTHER = "other"


class Sharing(StrEnum):
    """Who gets what is stored or read: nobody, those who help to improve the service, or somebody for their own ends."""

    NOBODY = "nobody"
    TO_IMPROVE = "only_to_help_improve"
    OWN_ENDS = "own_ends"


@dataclass(frozen=True, slots=True)
class Storage:
    """One use of a device and what the person was told and chose.

    ``said_yes`` is consent by an own act, ``said_no`` a refusal, objection or opt-out. ``signal`` is an opt-out signal
    (GPC) seen now or ever before from this browser or account; ``said_yes_since`` that a complete consent request was answered
    after it. ``requested`` says that the person asked for the service. ``age`` is None unless known or wilfully disregarded.
    """

    use: Use
    said_yes: bool = False
    said_no: bool = False
    said_yes_since: bool = False
    signal: bool = False
    told: bool = False
    objection_offered: bool = False
    sharing: Sharing = Sharing.NOBODY
    browser_accepts: bool = False
    requested: bool = True
    age: int | None = None
    parent_said_yes: bool = False
    precise_location: bool = False
    sensitive: bool = False


def may_store(pack: LawPack, storage: Storage, at: date) -> Ruling:
    """Whether the storage or reading may happen on this day.

    Sources: LEK 9:28 (SE), ekomloven 3-15 (NO), SVPL 205 (FI), PECR 6 and Sch A1 (GB), C.R.S. 6-1-1306 and 4 CCR 904-3 (US-CO).
    Raises Problem when the market had no rule on that day.
    """
    rule = value_at(pack, "storage", at)
    if rule.value["model"] == "opt_out":
        return _opt_out(pack, rule, storage, at)
    exemptions = find_value(pack, "storage_exemptions", at)
    exempt: Mapping[str, Any] = exemptions.value if exemptions else {}
    unasked = storage.use is Use.REQUESTED_SERVICE and not storage.requested
    if exemptions and storage.use in exempt["exempt"] and not unasked:
        return Ruling(True, "exempt", "devices.exempt", exemptions.citation, notes_of([exemptions]))
    if exemptions and storage.use in exempt["exempt_with_objection"]:
        return _exempt_with_objection(pack, rule, storage, at)
    return _opt_in(rule, storage)


_OWN_RULE = {Use.OWN_STATISTICS: "storage_own_statistics", Use.APPEARANCE: "storage_appearance"}


def _exempt_with_objection(pack: LawPack, rule: LawValue, storage: Storage, at: date) -> Ruling:
    """Allowed before a choice, with clear information and a simple free objection (PECR Sch A1 paras 5 and 6)."""
    exemption = value_at(pack, _OWN_RULE[storage.use], at)
    if storage.said_no:
        return Ruling(False, "exempt_with_objection", "devices.objected", exemption.citation, notes_of([exemption]))
    if storage.sharing is Sharing.OWN_ENDS or not (storage.told and storage.objection_offered):
        return _opt_in(rule, storage)
    return Ruling(True, "exempt_with_objection", "devices.not_objected", exemption.citation, notes_of([exemption]))


def _opt_in(rule: LawValue, storage: Storage) -> Ruling:
    notes = notes_of([rule])
    if storage.said_no:
        return Ruling(False, "opt_in", "devices.refused", rule.citation, notes)
    if storage.said_yes:
        return Ruling(True, "opt_in", "devices.consent", rule.citation, notes)
    if storage.browser_accepts and rule.value.get("browser_setting_expresses_consent"):
        return Ruling(True, "opt_in", "devices.browser_setting", rule.citation, notes)
    return Ruling(False, "opt_in", "devices.no_consent", rule.citation, notes)


def _opt_out(pack: LawPack, rule: LawValue, storage: Storage, at: date) -> Ruling:
    """Allowed until refusal or signal; sensitive data and the young ask for consent first."""
    guarded = _guarded(pack, storage, at)
    if guarded is not None:
        allowed = _consented(guarded, storage) and not storage.said_no
        reason = "devices.consent" if allowed else "devices.no_consent"
        return Ruling(allowed, "opt_in", reason, guarded.citation, notes_of([guarded]))
    if storage.use not in rule.value["for"]:
        return Ruling(True, "opt_out", "devices.no_rule_here", rule.citation, notes_of([rule]))
    signal = find_value(pack, "universal_opt_out", at)
    if storage.said_no:
        return Ruling(False, "opt_out", "devices.refused", rule.citation, notes_of([rule]))
    if signal and storage.signal and not storage.said_yes_since:
        return Ruling(False, "opt_out", "devices.signal", signal.citation, notes_of([signal]))
    return Ruling(True, "opt_out", "devices.not_refused", rule.citation, notes_of([rule]))


def _guarded(pack: LawPack, storage: Storage, at: date) -> LawValue | None:
    """The rule that asks for consent although the market as a whole does not."""
    minors = find_value(pack, "consent_age", at)
    young = minors is not None and storage.age is not None and storage.age < minors.value["years"]
    if minors and young and storage.use in minors.value["for"]:
        return minors
    sensitive = find_value(pack, "sensitive_data", at)
    if sensitive and storage.age is not None and storage.age < sensitive.value["child_below"]:
        return sensitive
    if storage.precise_location and (located := find_value(pack, "sensitive_precise_location", at)):
        return located
    return sensitive if storage.sensitive else None


def _consented(rule: LawValue, storage: Storage) -> bool:
    """Consent by the right person: a parent's for a child below the age where one is needed."""
    below = rule.value.get("parent_below", rule.value.get("child_below", 0))
    if storage.age is not None and storage.age < below:
        return storage.parent_said_yes
    return storage.said_yes
