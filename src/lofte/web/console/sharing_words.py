"""What the sharing pages show, in one language: rows, and the map of who may get what where. Decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from lofte.core.country import may_leave
from lofte.core.gates import tools
from lofte.core.publication import current
from lofte.features.sharing import agreements, cases, reads
from lofte.features.sharing.letters import listed
from lofte.features.sharing.models import Agreement, Case, Recall
from lofte.rules.catalogue import say
from lofte.rules.values import country, joined
from lofte.web.console.sharing_forms import word

SOON = timedelta(days=60)
_STATUS = {"open": "kept", "soon": "unproved", "case": "none", "browser": "none", "shut": "broken", "none": "unproved"}


# --- recipients -----------------------------------------------------------------------------------------------------


def party(locale: str, each: reads.Party, today: date) -> dict[str, Any]:
    state = _state(each, today)
    return {
        "id": each.id, "name": each.name, "role": say(locale, f"policy.role.{each.role}"), "role_id": each.role,
        "countries": joined(locale, [country(locale, one) for one in each.countries]),
        "purposes": listed(locale, [word(locale, "purposes", one, "name") for one in each.purposes]),
        "fields": listed(locale, [word(locale, "fields", one) for one in each.fields]), "running": each.running, "ends": each.ends,
        "given": each.given, "last": each.last, "state": state, "state_name": say(locale, f"sharing.way.{state}"),
        "status": _STATUS[state],
    }  # fmt: skip


def _state(each: reads.Party, today: date) -> str:
    """Open by an agreement; soon over; only by a case; as our processor; in the browser, by the visitor's own choice; or shut."""
    if each.running:
        return "soon" if each.ends is not None and each.ends <= today + SOON else "open"
    match each.role:
        case "authority" | "controller":
            return "case"
        case "processor":
            return "open"
        case "joint_controller":
            return "browser"
    return "none"


ZONES = ("eea", "by_decision", "by_clauses", "shut")


@dataclass(slots=True)
class Node:
    """One recipient in one country, where it stands on the map, and the way there."""

    name: str
    country: str
    zone: str
    state: str
    given: int
    x: int = 0
    y: int = 0
    path: str = ""
    width: float = 1.5
    label: str = ""
    law: str = ""


@dataclass(slots=True)
class Lane:
    """One zone of the map: how far data may go by which kind of ground, and its countries."""

    zone: str
    title: str
    x: int
    groups: list[dict[str, Any]] = field(default_factory=list)


_WIDE, _LEFT, _TOP, _STEP = 1080, 190, 64, 30
_NAME = 44  # letters of a name on the map


def chart(locale: str, parties: Iterable[reads.Party], at: datetime) -> dict[str, Any]:
    """The map: we to the left, then the EEA, countries by decision, countries by clauses, and where nothing may go now."""
    nodes = [node for each in parties for node in _nodes(locale, each, at)]
    zones = [zone for zone in ZONES if any(node.zone == zone for node in nodes)]
    lanes, height = [], _TOP + 120
    wide = (_WIDE - _LEFT) // max(len(zones), 2)
    for number, zone in enumerate(zones):
        lane = Lane(zone, say(locale, f"sharing.zone.{zone}"), _LEFT + number * wide)
        y = _TOP
        inside = sorted((node for node in nodes if node.zone == zone), key=lambda node: (node.country, node.name))
        for place in dict.fromkeys(node.country for node in inside):
            lane.groups.append({"name": place, "y": y})
            y += 22
            for node in (each for each in inside if each.country == place):
                node.x, node.y = lane.x, y
                y += _STEP
            y += 10
        height = max(height, y + 10)
        lanes.append(lane)
    middle = height // 2
    most = max((node.given for node in nodes), default=0)
    for node in nodes:
        bend = (node.x - 150) // 2
        node.path = f"M150 {middle} C {150 + bend} {middle}, {node.x - bend} {node.y}, {node.x} {node.y}"
        node.width = 1.5 + (5.0 * node.given / most if most else 0)
    return {
        "lanes": lanes, "nodes": nodes, "height": height, "width": _WIDE, "middle": middle,
        "organisation": current().policy.organisation.name,
    }  # fmt: skip


def _nodes(locale: str, each: reads.Party, at: datetime) -> Iterable[Node]:
    policy, on_file = current().policy, tools.on_file()
    state = _state(each, at.date())
    for where in each.countries:
        rulings = [
            may_leave(policy, on_file, market, each.id, where, at.date())
            for market in (each.markets or tuple(policy.markets))
        ]
        denied = next((one for one in rulings if not one.allowed), None)
        reasons = {one.reason for one in rulings}
        if denied is not None:
            zone = "shut"
        elif reasons <= {"transfers.free", "transfers.no_limit"}:
            zone = "eea"
        else:
            zone = "by_decision" if reasons & {"transfers.adequate", "transfers.listed"} else "by_clauses"
        shown = "shut" if denied is not None else state
        yield Node(
            name=each.name if len(each.name) <= _NAME else f"{each.name[: _NAME - 1]}…", country=country(locale, where), zone=zone,
            state=shown,
            given=each.given, label=say(locale, f"sharing.way.{shown}"), law=denied.citation if denied else "",
        )  # fmt: skip


# --- agreements -----------------------------------------------------------------------------------------------------


def agreement(locale: str, row: Agreement, today: date) -> dict[str, Any]:
    state = _run(row, today)
    recipients = current().policy.recipients
    return {
        "row": row, "services": joined(locale, [say(locale, f"sharing.service.{each}") for each in row.services]),
        "recipient": recipients[row.recipient].name if row.recipient in recipients else row.recipient,
        "purposes": listed(locale, [word(locale, "purposes", each, "name") for each in row.purposes]),
        "fields": listed(locale, [word(locale, "fields", each) for each in row.fields]), "country": country(locale, row.country),
        "state": state, "state_name": say(locale, f"sharing.agreement_state.{state}"),
        "status": {"runs": "kept", "soon": "unproved", "review": "unproved"}.get(state, ""),
        "runs": agreements.runs(row, today),
    }  # fmt: skip


def _run(row: Agreement, today: date) -> str:
    if row.ended_at is not None:
        return "ended"
    if row.expires < today:
        return "over"
    if row.review_at <= today:
        return "review"
    return "soon" if row.expires <= today + SOON else "runs"


# --- referrals ------------------------------------------------------------------------------------------------------


def given(locale: str, each: reads.Given) -> dict[str, Any]:
    state = each.state
    if state == "recorded":
        state = "waiting_log" if not each.has_evidence else "waiting_endpoint" if each.has_endpoint else "waiting_staff"
    return {
        "each": each, "purpose": word(locale, "purposes", each.purpose, "name"),
        "fields": listed(locale, [word(locale, "fields", one) for one in each.fields]), "state": state,
        "state_name": say(locale, f"sharing.state.{state}"),
    }  # fmt: skip


def recall(locale: str, row: Recall, at: datetime) -> dict[str, Any]:
    is_late = row.confirmed_at is None and row.due <= at
    return {
        "row": row, "what": say(locale, f"sharing.recall.{row.what}"), "reason": say(locale, f"sharing.recall_reason.{row.reason}"),
        "is_late": is_late,
    }  # fmt: skip


# --- cases ----------------------------------------------------------------------------------------------------------


def case(locale: str, row: Case, today: date) -> dict[str, Any]:
    counts, recipients = cases.counted(row.id) or dict(row.counts), current().policy.recipients
    state = row.state
    if state == Case.State.NOTICED:
        state = "telling" if row.free_from is None else "period" if today < row.free_from else "free"
    return {
        "row": row, "kind": say(locale, f"sharing.case_kind.{row.kind}"),
        "recipient": recipients[row.recipient].name if row.recipient in recipients else row.recipient,
        "country": country(locale, row.country), "purpose": word(locale, "purposes", row.purpose, "name"),
        "fields": listed(locale, [word(locale, "fields", each) for each in row.fields]),
        "relations": listed(locale, [word(locale, "relations", each, "name") for each in row.relations]), "state": state,
        "state_name": say(locale, f"sharing.case_state.{state}"), "people": sum(counts.values()),
        "counts": [(say(locale, f"sharing.member.{name}"), number) for name, number in counts.items()],
        "is_open": row.state not in (Case.State.CLOSED, Case.State.WITHDRAWN),
    }  # fmt: skip
