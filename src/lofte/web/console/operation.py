"""Duties and queues as the console shows them. Counts only: nothing here is about a person."""

from datetime import datetime
from typing import Any

from lofte.core import evidence, tasks
from lofte.core.models import Duty, Mail, Outbox
from lofte.rules.catalogue import say


def duties(at: datetime) -> list[dict[str, Any]]:
    late = {duty.name for duty in tasks.overdue(at)}
    return [
        {
            "name": duty.name,
            "overdue": duty.name in late,
            "last_done": duty.last_finished,
            "next_due": duty.next_due,
            "error": duty.last_error,
        }
        for duty in sorted(Duty.objects.all(), key=lambda duty: (duty.name not in late, duty.name))
    ]


def queues(locale: str) -> list[dict[str, Any]]:
    shown = [
        {"name": say(locale, f"console.mail_{state}"), "number": Mail.everyone.filter(state=state).count()}
        for state in ("queued", "sent", "suppressed", "failed")
    ]
    shown.append({"name": say(locale, "console.outbox_waiting"), "number": Outbox.objects.count()})
    if evidence.has_log():
        shown.append({"name": say(locale, "console.log_size"), "number": evidence.log().size()})
    return shown
