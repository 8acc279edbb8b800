"""`lofte source`: the systems the company connects. Checks and scans read only; nothing here changes a connected system."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lofte.cli import wiring
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Policy

EXIT_CODES = """exit codes:
  0  nothing stands in the way
  1  problems were found and are listed, or a system cannot be reached
  2  the command was not understood

The address of a database is only ever read from the environment variable that its mapping names."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "source", help="check, scan and list connected systems", description=__doc__, epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("action", choices=["check", "scan", "list", "import-fides"], help="what to do")
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="check: a mapping (default: every one in <home>/systems); import-fides: a dataset",
    )  # fmt: skip
    wiring.add_home(parser)
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="DIR",
        help="check, import-fides: hold it against this policy, not the published one",
    )
    parser.add_argument(
        "--url-from", metavar="VARIABLE", help="scan, import-fides: environment variable with the address"
    )
    parser.add_argument("--purpose", default="", metavar="ID", help="import-fides: the purpose of every table")
    parser.add_argument(
        "--erase", default="", choices=["delete", "clear"], help="import-fides: what erasing does to tables"
    )
    parser.add_argument("--dataset", default="", metavar="KEY", help="import-fides: which dataset of the file")
    parser.add_argument("--json", action="store_true", help="check, scan, list: say it as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    match args.action:
        case "check":
            return _check(args)
        case "scan":
            return _scan(args)
        case "list":
            return _list(args)
        case _:
            return _import_fides(args)


def _check(args: argparse.Namespace) -> int:
    from lofte import connectors

    policy = _policy(args)
    files = [args.file] if args.file else connectors.files(Path(args.home or ""))
    found = {file: _problems_of(file, policy) for file in files}
    if args.json:
        _say_json([_as_values(file, problem) for file, problems in found.items() for problem in problems])
    else:
        for file, problems in found.items():
            print(f"{file.stem}: {'ready' if not problems else f'{len(problems)} problem(s)'}")
            for problem in problems:
                print(f"  {problem}")
        if not files:
            print("No system is connected: there is no mapping in the systems folder of the data directory.")
    return 1 if any(found.values()) else 0


def _problems_of(file: Path, policy: Policy) -> list[Problem]:
    from lofte import connectors

    if not file.is_file():
        return [Problem("source.no-mapping", "there is no such file", Place(str(file)))]
    try:
        return connectors.open_file(file).check(policy)
    except Problem as problem:
        return [problem]


def _scan(args: argparse.Namespace) -> int:
    """Columns of a database that look personal, before there is a mapping."""
    from lofte.connectors.sql import scan

    if not args.url_from:
        raise Problem(
            "source.no-url", "scan needs to know where the address is", way_out="lofte source scan --url-from VARIABLE"
        )
    found = scan.everything(args.url_from)
    if args.json:
        _say_json(
            [
                {"table": each.table, "column": each.column, "seen": [str(seen) for seen in each.seen]}
                for each in found
            ]
        )  # fmt: skip
    else:
        for each in found:
            print(f"{each.table}.{each.column}\t{', '.join(map(str, each.seen))}")
        print(f"{len(found)} column(s) look personal.", file=sys.stderr)
    return 0


def _list(args: argparse.Namespace) -> int:
    from lofte import connectors

    home = wiring.enter(args.home)
    from lofte.core import obligations, systems

    connectors.connect_all(home)
    owed, late = obligations.open_now(), {each.id for each in obligations.overdue()}
    lines: list[dict[str, Any]] = []
    for system in dict.fromkeys([*systems.names(), *(each.system for each in owed)]):
        mine = [each for each in owed if each.system == system]
        late_here = sum(each.id in late for each in mine)
        reasons = sorted({each.reason for each in mine if each.reason})
        lines.append(
            {"system": system, "state": _state(system), "owed": len(mine), "overdue": late_here, "reasons": reasons}
        )
    if args.json:
        _say_json(lines)
    for line in lines if not args.json else ():
        print("{system}\t{state}\towed {owed}\toverdue {overdue}\t".format(**line) + ", ".join(line["reasons"]))
    if not lines and not args.json:
        print("No system is connected.")
    return 0


def _state(system: str) -> str:
    from lofte.core import systems

    try:
        systems.get(system)
    except Problem as problem:
        return problem.code
    return "connected"


def _import_fides(args: argparse.Namespace) -> int:
    """The draft goes to standard output, what could not be carried over to standard error."""
    from lofte.connectors.sql import fides_import

    if not args.file or not args.file.is_file():
        raise Problem(
            "source.no-dataset",
            "there is no such file",
            Place(str(args.file or "")),
            expected="a Fides dataset in YAML",
        )
    made = fides_import.draft(
        args.file.name, args.file.read_text(encoding="utf-8"), _policy(args), url_from=args.url_from or "LOFTE_SOURCE",
        purpose=args.purpose, key=args.dataset, erase=args.erase,
    )  # fmt: skip
    print(made.text, end="")
    for each in made.skipped:
        print(f"{each.where}: {each.why}", file=sys.stderr)
    return 0


def _policy(args: argparse.Namespace) -> Policy:
    if args.policy is None:
        wiring.enter(args.home)
        from lofte.core import publication

        return publication.current().policy
    from lofte.features.policy.files import read_directory
    from lofte.rules.source import read

    source = read(read_directory(args.policy))
    if source.policy is None:
        raise Problem(
            "source.no-policy",
            "the policy cannot be read",
            Place(str(args.policy)),
            way_out="See what is wrong: lofte check",
        )
    return source.policy


def _as_values(file: Path, problem: Problem) -> dict[str, object]:
    return {"system": file.stem, "code": problem.code, **problem.document()}


def _say_json(values: Sequence[object]) -> None:
    print(json.dumps(list(values), ensure_ascii=False, indent=2))
