"""`lofte check DIR`: what is wrong with a policy, as text for people, JSON for programs, SARIF for code hosts."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from lofte.features.policy.files import read_directory
from lofte.kernel.problems import Problem
from lofte.rules.check import check, errors
from lofte.rules.codes import CODES
from lofte.rules.sarif import sarif

EXIT_CODES = """exit codes:
  0  clean: nothing forbids publishing (warnings may remain; --strict makes them count)
  1  problems were found and are listed
  2  the directory cannot be read, or the command was not understood

Each problem has file, line, key, what was expected, the article that asks and the way out.
The codes are listed in docs/reference/check.md."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "check",
        help="say what is wrong with a policy directory",
        description="Check a policy directory against itself and the law.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the directory that holds policy.yaml")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="problems as JSON")
    form.add_argument("--sarif", action="store_true", help="problems as SARIF 2.1.0")
    parser.add_argument("--strict", action="store_true", help="let warnings count as problems")
    parser.add_argument(
        "--at", type=date.fromisoformat, metavar="DAY", help="the day the law is read for (default: today)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        files = read_directory(args.directory)
    except Problem as problem:
        print(f"lofte check: {problem}", file=sys.stderr)
        return 2
    found = check(files, args.at or datetime.now(UTC).date())
    if args.json:
        print(json.dumps(as_json(found), ensure_ascii=False, indent=2))
    elif args.sarif:
        print(json.dumps(sarif(found), ensure_ascii=False, indent=2))
    else:
        print_problems(found)
    return 1 if (found if args.strict else errors(found)) else 0


def as_json(found: Sequence[Problem]) -> dict[str, object]:
    """The problems as plain values; the shape is documented in docs/reference/check.md."""
    return {
        "clean": not errors(found),
        "errors": len(errors(found)),
        "warnings": len(found) - len(errors(found)),
        "problems": [
            {
                "code": problem.code,
                "severity": problem.severity,
                "file": problem.place.file,
                "line": problem.place.line,
                "key": problem.place.key,
                "detail": problem.detail,
                "expected": problem.expected,
                "law": problem.law,
                "way_out": problem.way_out,
            }
            for problem in found
        ],
    }


def reference() -> str:
    """The page docs/reference/check.md: `python -m lofte.cli.check > docs/reference/check.md` writes it anew."""
    rows = [
        f"| `{code}` | {known.severity} | {known.meaning} | {known.law} | {known.way_out} |"
        for code, known in CODES.items()
    ]
    return "\n".join(
        [_REFERENCE, "| code | severity | meaning | law | way out |", "| --- | --- | --- | --- | --- |", *rows, ""]
    )


_REFERENCE = """# lofte check

    lofte check DIR [--json | --sarif] [--strict] [--at DAY]

Reads a policy directory and says everything that is wrong with it, all at once. Nothing is written and nothing is asked
of a network. `--at` reads the law as it stood, or will stand, on another day.

Exit codes: 0 clean, nothing forbids publishing (warnings may remain; `--strict` makes them count); 1 problems were found and
are listed; 2 the directory cannot be read, or the command was not understood.

Each problem has file, line, key, what was expected, the article that asks and the way out. A broken file never ends in a
traceback.

## As JSON

`--json` prints one object: `clean` (no error), `errors`, `warnings`, and `problems`, a list of objects with `code`,
`severity` (`error` or `warning`), `file` (relative to the directory), `line` (the first is 1), `key` (a path such as
`purposes.news.basis`), `detail`, `expected`, `law` and `way_out`; what does not apply is empty.

## As SARIF

`--sarif` prints SARIF 2.1.0, which code hosts show beside the lines. File names are relative to the directory.

## Codes

This table is generated from `lofte.rules.codes`; a test keeps the two equal.
"""


def print_problems(found: Sequence[Problem]) -> None:
    """One paragraph a problem: where and what, then what was expected, the law and the way out."""
    for problem in found:
        print(f"{problem.place}: {problem.severity}[{problem.code}]: {problem.detail}")
        for label, value in (("expected", problem.expected), ("law", problem.law), ("way out", problem.way_out)):
            if value:
                print(f"    {label}: {value}")
    wrong, rest = len(errors(found)), len(found) - len(errors(found))
    print(f"{'Clean' if not wrong else 'Not publishable'}: {wrong} error(s), {rest} warning(s).")


if __name__ == "__main__":
    print(reference(), end="")
