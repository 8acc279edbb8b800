"""`python -m bench NAME [--json]`: runs bench/NAME.py and says what it measured. Each has `run() -> Iterator[Case]`."""

import argparse
import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from bench.case import Case


def main() -> int:
    names = sorted(file.stem for file in Path(__file__).parent.glob("*.py") if has_run(file))
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=names, help=f"one of: {', '.join(names)}")
    parser.add_argument("--json", action="store_true", help="one line of JSON a case")
    parser.add_argument(
        "--people",
        type=_sizes,
        metavar="N[,N]",
        help="rights, sweep: sizes of the register (default: 1000,100000; a million takes an hour); mail: recipients",
    )
    parser.add_argument("--save", action="store_true", help="banner: keep the run for docs/reference")
    args = parser.parse_args()
    if args.name is None:
        print("\n".join(names))
        return 0
    missed = False
    run = importlib.import_module(f"bench.{args.name}").run
    for case in run(args.people) if args.people else run(save=True) if args.save else run():
        print(json.dumps(asdict(case)) if args.json else row(case), flush=True)
        missed |= case.ok is False
    return 1 if missed else 0


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def has_run(file: Path) -> bool:
    return not file.name.startswith("_") and "\ndef run(" in file.read_text(encoding="utf-8")


def row(case: Case) -> str:
    verdict = {None: "", True: "ok", False: "MISSED"}[case.ok]
    limit = f"machine {number(case.limit)}" if case.limit is not None else ""
    bar = f"bar {number(case.bar)}" if case.bar is not None else ""
    return f"{case.case:<58} {number(case.value):>12} {case.unit:<12} {limit:<18} {bar:<12} {verdict}"


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


if __name__ == "__main__":
    sys.exit(main())
