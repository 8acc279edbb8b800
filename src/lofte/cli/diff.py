"""`lofte diff OLD NEW`: what changed between two policies, who must be told, whose consent is asked anew."""

import argparse
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from lofte.features.policy.files import read_directory
from lofte.kernel.problems import Problem
from lofte.rules.compile import assemble
from lofte.rules.diff import diff
from lofte.rules.published import Published
from lofte.rules.source import read

EXIT_CODES = """OLD and NEW are policy directories, or published policy.json files.

exit codes:
  0  nothing changed
  1  something changed and is listed
  2  one of the two cannot be read, or the command was not understood"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "diff",
        help="say what changed between two policies, and for whom",
        description="Compare two versions of a policy.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", type=Path, metavar="OLD", help="the version before")
    parser.add_argument("new", type=Path, metavar="NEW", help="the version after")
    parser.add_argument("--json", action="store_true", help="the difference as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    today = datetime.now(UTC).date()
    try:
        found = diff(_version(args.old, today), _version(args.new, today))
    except Problem as problem:
        print(f"lofte diff: {problem}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(found.document(), ensure_ascii=False, indent=2))
    else:
        print(found.text(), end="")
    return 1 if found else 0


def _version(path: Path, today: date) -> Published:
    """A version from its directory, or from the policy.json of a publication."""
    if path.is_file():
        try:
            return Published.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise Problem(
                "policy.unreadable", f"{path} is no published policy", way_out="Name a policy.json."
            ) from error
    source = read(read_directory(path))
    if source.policy is None or source.set_aside:
        raise Problem(
            "policy.unreadable", f"{path} has parts that cannot be read", way_out=f"Run `lofte check {path}` first."
        )
    return assemble(source, today)
