"""`lofte publish DIR`: check, compile, freeze, sign and log a policy, and put it in force."""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from lofte.cli.check import print_problems
from lofte.cli.wiring import log_name
from lofte.core.environment import demand_restored
from lofte.evidence.log import open_log
from lofte.features.policy import handover, reads
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish
from lofte.kernel.problems import Problem
from lofte.rules.check import check, errors

EXIT_CODES = """exit codes:
  0  the policy is in force (or was already, unchanged)
  1  it was not published: it has problems, or the log could not take it
  2  the directory cannot be read, or the command was not understood

While a server runs it holds the log: the policy is handed over to it, and it publishes within a few seconds."""

PATIENCE_S = 60  # a server that has not answered by then is not looking


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "publish",
        help="put a policy in force",
        description="Check a policy, freeze it into content-addressed files, sign and log it, and put it in force.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the directory that holds policy.yaml")
    home = os.environ.get("LOFTE_HOME") or None
    parser.add_argument("--home", type=Path, default=home, metavar="DIR", help="data directory (default: LOFTE_HOME)")
    origin = os.environ.get("LOFTE_ORIGIN", "http://localhost:8000")
    parser.add_argument("--origin", default=origin, metavar="URL", help="the site's address, which names the log")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not args.home:
        print("lofte publish: no data directory was named. Give --home DIR or set LOFTE_HOME.", file=sys.stderr)
        return 2
    try:
        files = read_directory(args.directory)
    except Problem as problem:
        print(f"lofte publish: {problem}", file=sys.stderr)
        return 2
    at = datetime.now(UTC)
    found = check(files, at.date())
    if errors(found):
        print_problems(found)
        return 1
    home = Path(args.home).expanduser()
    before = reads.current_digest(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = _publish(files, home, args.origin, at)
    manifest = reads.manifest(home, digest)
    verb = "Unchanged" if digest == before else "Published"
    print(f"{verb}: version {manifest['version']}, {digest}")
    print(f"  {len(manifest['files'])} frozen files, evidence entry {manifest['evidence_index']}")
    return 0


def _publish(files: Mapping[str, str], home: Path, origin: str, at: datetime) -> str:
    """The digest now in force: published here, or by the serving process when that holds the log."""
    demand_restored(home)
    location = os.environ.get("LOFTE_DATABASE") or home / "evidence.sqlite3"
    try:
        log = open_log(location, home / "keys", log_name(origin, home), lambda: datetime.now(UTC))
    except Problem as problem:
        if problem.code != "evidence.second-writer":
            raise
        return _hand_over(files, home)
    try:
        return publish(files, home, log, at).digest
    finally:
        log.close()


def _hand_over(files: Mapping[str, str], home: Path) -> str:
    ticket = handover.hand_over(files, home)
    end_s = monotonic() + PATIENCE_S
    while monotonic() < end_s:
        answer = handover.answer_to(ticket, home)
        if answer and "problem" in answer:
            raise Problem("policy.not-publishable", answer["problem"])
        if answer:
            return str(answer["digest"])
        sleep(0.2)
    raise Problem(
        "policy.no-answer", f"the server that holds the log has not published it within {PATIENCE_S} s",
        way_out="Look at its log and at `lofte doctor`; it will still publish when it gets to it.",
    )  # fmt: skip
