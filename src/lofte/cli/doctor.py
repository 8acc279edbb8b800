"""`lofte doctor`: is this installation fit to keep promises? Each check says what it saw and, when it is not well, the way out.

Looks only; changes nothing but a scratch file for the flush test. Can be run beside a serving process.
"""

import argparse
import json
import os
import shutil
import smtplib
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lofte.cli import wiring
from lofte.kernel.problems import Problem

WAL_RESET_MENDED = (
    3,
    51,
    3,
)  # reported: SQLite 3.7.0 to 3.51.2 can corrupt a WAL that two connections checkpoint at once
SLOW_FLUSH_MS = 20.0  # above this, a batch of consents is felt by a visitor
_FLUSHES = 50
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this program was written is wrong


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``state`` is ok, warning or failure."""

    check: str
    state: str
    said: str
    way_out: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "doctor",
        help="check stores, disk, clock, mail, keys and overdue checks",
        description=f"{__doc__}\nExit codes: 0 nothing failed, 1 something did.",
    )
    wiring.add_home(parser)
    parser.add_argument("--json", action="store_true", help="say it as JSON, a finding an item")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    home = wiring.enter(args.home)
    findings = list(examine(home))
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.state:8} {finding.check:12} {finding.said}")
            if finding.way_out:
                print(f"{'':22}{finding.way_out}")
    return 1 if any(finding.state == "failure" for finding in findings) else 0


def examine(home: Path) -> Iterator[Finding]:
    """Every check in turn; one that cannot be made is a failure, never an exception."""
    checks: list[Callable[[Path], Iterator[Finding]]] = [
        _python, _stores, _disk, _clock, _keys, _mail, _sending, _browser, _publication, _evidence, _copies, _duties, _requests,
        _transfers, _tags, _staff, _verdicts,
    ]  # fmt: skip
    for check in checks:
        name = check.__name__.lstrip("_")
        try:
            yield from check(home)
        except Problem as problem:
            yield Finding(name, "failure", problem.detail, problem.way_out)
        except Exception as error:
            yield Finding(name, "failure", f"could not be checked ({type(error).__name__})")


def _python(home: Path) -> Iterator[Finding]:
    yield Finding("python", "ok", sys.version.split()[0])


def _stores(home: Path) -> Iterator[Finding]:
    from django.db import connections

    for alias in ("default", "keys"):
        connection = connections[alias]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SHOW server_version")
                version = cursor.fetchone()[0]
                cursor.execute("SHOW synchronous_commit")
                is_safe = cursor.fetchone()[0] != "off"
                yield Finding(
                    "stores", "ok" if is_safe else "failure", f"{alias}: PostgreSQL {version}",
                    "" if is_safe else "Set synchronous_commit to on: an answer may be lost in a power cut.",
                )  # fmt: skip
            else:
                cursor.execute("PRAGMA quick_check(1)")
                is_sound = cursor.fetchone()[0] == "ok"
                yield Finding(
                    "stores", "ok" if is_sound else "failure", f"{alias}: SQLite file, {'sound' if is_sound else 'damaged'}",
                    "" if is_sound else "Stop the server and restore this file from backup.",
                )  # fmt: skip
    mended = sqlite3.sqlite_version_info >= WAL_RESET_MENDED
    yield Finding(
        "stores", "ok" if mended else "warning", f"SQLite library {sqlite3.sqlite_version}",
        "" if mended else "Reported: versions before 3.51.3 can damage a file that two connections checkpoint at once, unless the "
        "distribution has mended it. The evidence file has one connection only.",
    )  # fmt: skip


def _disk(home: Path) -> Iterator[Finding]:
    free_gb = shutil.disk_usage(home).free / 1e9
    yield Finding(
        "disk", "ok" if free_gb > 1 else "failure", f"{free_gb:.1f} GB free", "" if free_gb > 1 else "Make room."
    )
    with tempfile.TemporaryFile(dir=home) as file:
        took_ms = []
        for _ in range(_FLUSHES):
            file.write(b"x" * 200)
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took_ms.append((time.perf_counter() - started) * 1000)
    median = sorted(took_ms)[_FLUSHES // 2]
    is_slow = median > SLOW_FLUSH_MS
    yield Finding(
        "disk", "warning" if is_slow else "ok", f"a flush takes {median:.2f} ms (median of {_FLUSHES})",
        "Put the data directory on a disk with a faster flush." if is_slow else "",
    )  # fmt: skip


def _clock(home: Path) -> Iterator[Finding]:
    from lofte.core import clock
    from lofte.core.models import Duty

    now = clock.now()
    newest = (
        Duty.objects.order_by("-last_finished")
        .values_list("last_finished", flat=True)
        .exclude(last_finished=None)
        .first()
    )
    if now < _EARLIEST:
        yield Finding(
            "clock", "failure", f"the clock says {now:%Y-%m-%d}", "Set the clock; deadlines are counted with it."
        )
    elif newest and newest > now + timedelta(minutes=5):
        yield Finding(
            "clock", "failure", f"the clock says {now:%Y-%m-%d %H:%M}Z, before work already done at {newest:%Y-%m-%d %H:%M}Z",
            "Set the clock. Nothing is erased early: sweeps wait for the clock to catch up.",
        )  # fmt: skip
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M}Z")


def _keys(home: Path) -> Iterator[Finding]:
    folder = home / "keys"
    open_to_others = [
        path.name for path in sorted(folder.iterdir()) if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        open_to_others.insert(0, "the folder itself")
    yield Finding(
        "keys", "failure" if open_to_others else "ok",
        f"others may read {', '.join(open_to_others)}" if open_to_others else "ours alone",
        "chmod 700 the keys folder and 600 its files, and ask who has read them." if open_to_others else "",
    )  # fmt: skip
    if stat.S_IMODE(home.stat().st_mode) & 0o077:
        yield Finding("keys", "warning", "others may look into the data directory", "chmod 700 the data directory.")


def _mail(home: Path) -> Iterator[Finding]:
    from django.conf import settings

    from lofte.core.models import Mail

    if not settings.EMAIL_HOST:
        yield Finding("mail", "warning", "no mail server is set; letters wait in the queue", "Set LOFTE_SMTP.")
    else:
        try:
            with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=5) as server:
                server.noop()
            yield Finding("mail", "ok", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} answers")
        except (OSError, smtplib.SMTPException) as error:
            yield Finding(
                "mail", "failure", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} does not answer ({type(error).__name__})",
                "Check LOFTE_SMTP; what is queued is sent when it answers.",
            )  # fmt: skip
    waiting = Mail.everyone.filter(state=Mail.State.QUEUED).count()
    yield Finding("mail", "ok", f"{waiting} letters wait")


def _sending(home: Path) -> Iterator[Finding]:
    """What receivers look for, asked of the name servers within a few seconds; `lofte mail check` says each line."""
    from lofte.core.mailing import names, readiness

    sender = readiness.ours()
    if not readiness.is_public(sender.domain):
        yield Finding("sending", "ok", f"{sender.domain} is no public domain: nothing to ask")
        return
    lines = readiness.check(sender, names.Dns(patience_s=6), lambda host: "silent")
    faults = [line.check for line in lines if line.state is readiness.State.FAULT]
    unknown = [line.check for line in lines if line.state is readiness.State.UNKNOWN and line.code != "tls_in_silent"]
    said = f"{sender.domain}: " + (f"not ready: {', '.join(dict.fromkeys(faults))}" if faults else "nothing wrong seen")
    said += f"; not known: {', '.join(dict.fromkeys(unknown))}" if unknown else ""
    yield Finding(
        "sending", "warning" if faults or unknown else "ok", said, "lofte mail check" if faults or unknown else ""
    )


def _browser(home: Path) -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found:
        yield Finding("browser", "ok", Path(found).name)
    else:
        yield Finding(
            "browser",
            "warning",
            "no Chromium: promises that need a browser stay unproved",
            "Install the package chromium.",
        )


def _publication(home: Path) -> Iterator[Finding]:
    from lofte.evidence.publications import load_current

    publication = load_current(home)
    for name in publication.manifest["files"]:
        publication.read(name)  # raises Problem when the frozen bytes are not what was signed for
    yield Finding(
        "publication", "ok", f"version {publication.version}, {len(publication.manifest['files'])} frozen files intact"
    )


def _evidence(home: Path) -> Iterator[Finding]:
    from lofte.core.models import Outbox

    oldest = Outbox.objects.filter(index__isnull=True).order_by("made_at").first()
    late = oldest is not None and datetime.now(UTC) - oldest.made_at > timedelta(minutes=5)
    yield Finding(
        "evidence", "failure" if late else "ok", f"{Outbox.objects.count()} facts on their way to the log",
        "Facts wait for more than five minutes: is `lofte serve` running, and is the log writable (/readyz)?" if late else "",
    )  # fmt: skip


def _copies(home: Path) -> Iterator[Finding]:
    from lofte.core import clock
    from lofte.core.backup import reads

    at = clock.now()
    found = reads.state(at)
    if found.newest is None:
        yield Finding(
            "copies",
            "warning",
            "no copy of the stores has been made",
            "lofte backup --to DIR --keys-to ANOTHER, each night.",
        )
    else:
        age = at - found.newest.made_at
        is_old = found.is_old(at)
        said = f"the newest whole copy is of {found.newest.made_at:%Y-%m-%d %H:%M}Z, log of {found.newest.log_size} entries"
        yield Finding(
            "copies",
            "warning" if is_old else "ok",
            said,
            f"It is {age.days} days old: lofte backup, each night." if is_old else "",
        )
        if found.newest_keys is None:
            yield Finding(
                "copies", "warning", "the keys have not been copied", "Without them no copy opens: --keys-to DIR."
            )
    for each in found.late:
        where = each.place or f"of run {each.run}"
        yield Finding(
            "copies", "failure", f"a copy of the {each.what} should have been deleted by {each.delete_by:%Y-%m-%d}: {where}",
            f"Delete it: it opens what was erased since. Then: lofte backup gone {each.run}.",
        )  # fmt: skip
    if found.keys_until is not None:
        yield Finding("copies", "ok", f"who is erased now can be read from no copy after {found.keys_until:%Y-%m-%d}")


def _duties(home: Path) -> Iterator[Finding]:
    from lofte.core import tasks

    late = [duty.name for duty in tasks.overdue()]
    yield Finding(
        "duties", "failure" if late else "ok", f"overdue: {', '.join(late)}" if late else "none overdue",
        "Duties run inside `lofte serve`; see its log for what stopped them." if late else "",
    )  # fmt: skip


def _requests(home: Path) -> Iterator[Finding]:
    from lofte.core import clock
    from lofte.features.rights import requests

    numbers = requests.counts(clock.now())
    late = numbers["overdue"]
    said = f"{numbers['open']} open, {numbers['soon']} with a week or less" + (
        f", {late} past the last day" if late else ""
    )
    yield Finding(
        "requests", "warning" if late else "ok", said,
        "Somebody has not been answered in time: see /console/requests/?show=overdue." if late else "",
    )  # fmt: skip


def _transfers(home: Path) -> Iterator[Finding]:
    """Whether everything the policy says of transfers has a tool that holds today. Without a policy there is nothing to ask."""
    from lofte.core import clock, publication
    from lofte.core.gates import tools

    try:
        publication.current()
    except Problem:
        return
    today = clock.now().date()
    denied, ending = tools.denied(today), tools.running_out(today)
    said = f"{len(denied)} denied for want of a tool, {len(ending)} near their end or over"
    way_out = "See /console/transfers/." if denied or ending else ""
    yield Finding("transfers", "warning" if way_out else "ok", said, way_out)


def _tags(home: Path) -> Iterator[Finding]:
    """Whether the site's own pages carry what no tag declares. It is held all the same."""
    from lofte.core import publication
    from lofte.features.findings import reads

    try:
        policy = publication.current().policy
    except Problem:
        return
    drift = [alarm.what for alarm in reads.alarms(policy) if alarm.is_own]
    said = (
        f"undeclared on our pages: {', '.join(drift[:5])}{' ...' if len(drift) > 5 else ''}" if drift else "as declared"
    )
    yield Finding("tags", "warning" if drift else "ok", said, "See /console/operation/tags/." if drift else "")


def _staff(home: Path) -> Iterator[Finding]:
    from allauth.mfa.utils import is_mfa_enabled
    from django.contrib.auth.models import User

    from lofte.core import roles

    held = [(user, roles.permissions_of(user)) for user in User.objects.filter(is_active=True)]
    reaching = [user for user, may in held if may - roles.BY_PASSWORD]
    approving = sum("approvals.decide" in may for _, may in held)
    bare = sum(not is_mfa_enabled(user) for user in reaching)
    without = f" ({bare} without a second factor)" if bare else ""
    said = f"{len(reaching)} reach people{without}, {approving} may approve for others"
    way_out = []
    if held and approving < 2:
        way_out.append(
            "Dangerous acts take two people: give a second account such a role (lofte staff roles NAME lead)."
        )
    if bare:
        way_out.append("They see no page about people until they enrol one, at their next visit.")
    yield Finding("staff", "warning" if way_out else "ok", said, " ".join(way_out))


def _verdicts(home: Path) -> Iterator[Finding]:
    from lofte.features.promises import reads

    board = reads.board()
    by_status: dict[str, int] = {}
    for line in board:
        by_status[line.status] = by_status.get(line.status, 0) + 1
    said = ", ".join(f"{count} {status}" for status, count in sorted(by_status.items())) or "no verdict yet"
    is_broken = by_status.get("broken", 0) > 0
    yield Finding("promises", "warning" if is_broken else "ok", said, "See /console/ for each." if is_broken else "")
