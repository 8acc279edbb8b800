"""Requests in a person's own words: what they asked for, where it stands, what it waits for and what has happened."""

from typing import Any

from lofte.features.rights.overview import RequestItem
from lofte.web.pages import Edition
from lofte.web.person_words import spoken

_ASIDE = frozenset({"assigned", "reminded", "approval_asked", "approved", "untold"})
"""Steps that are our own business; the copy of everything has them all the same."""


def request_in_words(here: Edition, item: RequestItem) -> dict[str, Any]:
    declared = here.published.policy.purposes
    is_own_act = any(step.kind == "acted" and step.by == "person" for step in item.history)  # done, not asked for
    return {
        "id": item.id,
        "reference": item.reference,
        "right": spoken(here, "portal.right", item.right),
        "purpose": here.word("purposes", item.purpose, "name") if item.purpose in declared else "",
        "state": spoken(here, "portal.request.state", item.state),
        "kind": "kept" if item.state in ("done", "answered") else ("broken" if item.state == "refused" else "unproved"),
        "is_open": item.closed_at is None,
        "is_my_turn": "person" in item.waiting_for,
        "waits": _waits(here, item),
        "received_at": item.received_at,
        "due": item.due,
        "closed_at": item.closed_at,
        "history": [
            {
                "at": step.at,
                "what": spoken(here, "portal.step", f"{step.kind}-{_who(step.by)}", step.kind),
                "why": spoken(here, "requests.refusal", f"{step.reason}.told", "") if step.kind == "refused" else "",
                "words": step.words,
                "mine": step.by == "person",
            }
            for step in item.history
            if step.kind not in _ASIDE and not (is_own_act and step.kind == "received")
        ],
    }


def _who(by: str) -> str:
    return by.partition(":")[0]


def _waits(here: Edition, item: RequestItem) -> list[str]:
    """What must still come, each in words: you, the log, the search, or a system by its name."""
    systems = here.published.policy.systems
    names = (systems[each].name if each in systems else each for each in item.waiting_for)
    return [
        spoken(here, "portal.request.waits", each, name) for each, name in zip(item.waiting_for, names, strict=True)
    ]
