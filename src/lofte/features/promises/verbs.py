"""Verdicts are kept here: a row, an entry in the evidence log, and the file the public pages read."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from lofte.core import clock, evidence, outbox, publication
from lofte.core.outbox import Fact
from lofte.core.retry import in_transaction
from lofte.features.promises import reads
from lofte.features.promises.models import Verdict as Row
from lofte.rules.control import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """What a control said about a promise, not yet kept."""

    promise: str
    control: str
    verdict: Verdict


def store(judged: Sequence[Judged], at: datetime | None = None) -> None:
    """Keep verdicts reached at one moment, put each into the evidence log, and let the public pages know."""
    at = at or clock.now()
    for one in judged:
        _demand_nothing_personal(one)
    _write(list(judged), at, publication.current().digest)
    if evidence.has_log():
        outbox.drain()  # the entry's place is shown beside the verdict: do not wait for the next round
        publish_board()


def note_evidence(fact: Fact) -> None:
    """Subscriber of `verdict` facts: remember where in the log the verdict stands. `cli/wiring.py` subscribes it."""
    if fact.about is not None:
        Row.objects.filter(id=fact.about, evidence__isnull=True).update(evidence=fact.index)


def publish_board(at: datetime | None = None) -> None:
    """Rewrite `<home>/published/verdicts.json` in one step: readers see the old file or the new one, never half of
    it.
    """
    text = json.dumps(reads.document(reads.board(at)), ensure_ascii=False, sort_keys=True, indent=1)
    _replace(settings.LOFTE_HOME / "published" / "verdicts.json", text.encode())


@in_transaction
def _write(judged: list[Judged], at: datetime, digest: str) -> None:
    """Row and fact in one transaction: no verdict without evidence on its way."""
    for one in judged:
        facts = dict(one.verdict.facts)
        row = Row.objects.create(
            promise=one.promise,
            control=one.control,
            status=one.verdict.status.value,
            reason=one.verdict.reason,
            facts=facts,
            publication=digest,
            at=at,
        )
        told = {
            "promise": one.promise,
            "control": one.control,
            "status": row.status,
            "reason": row.reason,
            "facts": facts,
        }
        outbox.add("verdict", told, policy=digest, about=row.id)


def _demand_nothing_personal(one: Judged) -> None:
    """Verdicts are published. What a company publishes about itself (its own contact) is no personal data of others."""
    ours = {controller.email for controller in publication.current().policy.controllers.values()}
    for name, value in one.verdict.facts.items():
        text = str(value)
        for address in ours:
            text = text.replace(address, "")
        if "@" in text:
            raise ValueError(f"{name} of {one.control} looks personal; verdicts are published")


def _replace(file: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".verdicts-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise
