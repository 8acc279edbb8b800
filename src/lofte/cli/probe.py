"""`lofte probe [P34 ...]`: look at promises now and say whether they are kept, with the reason. No ids: all of them."""

import argparse
import json
import os
from pathlib import Path

from lofte.cli import wiring
from lofte.kernel.instants import rfc3339
from lofte.probes import serving
from lofte.rules.controls import LOCALES

MARKS = {"kept": "kept", "broken": "BROKEN", "unproved": "unproved"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "probe",
        help="check promises against the running site now",
        description=f"{__doc__}\nThe site must be running. Exit codes: 0 nothing is broken, 1 something is.",
    )
    wiring.add_home(parser)
    parser.add_argument("promises", nargs="*", metavar="PROMISE", help="for example P34; none: every promise")
    parser.add_argument("--origin", help="where the site runs (default: as `lofte serve` noted it)")
    parser.add_argument("--locale", choices=LOCALES, default="en-GB", help="language of the reasons (default en-GB)")
    parser.add_argument("--json", action="store_true", help="one JSON document with reasons in every language")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    # Letters written here must lead to the site that is looked at, so its address has to stand before the settings are read.
    noted = serving.noted(Path(args.home).expanduser()) if args.home else {}
    if origin := args.origin or os.environ.get("LOFTE_ORIGIN") or noted.get("origin"):
        os.environ["LOFTE_ORIGIN"] = origin
    home = wiring.enter(args.home)
    wiring.connect_systems(home)
    from lofte.features.promises import reads
    from lofte.probes.check import check_now
    from lofte.probes.world import here

    world = here(args.origin or "")
    lines = check_now(args.promises, world)
    if args.json:
        print(json.dumps(reads.document(lines), ensure_ascii=False, indent=1))
    else:
        for line in lines:
            at = rfc3339(line.at) if line.at else ""
            print(f"{line.promise}  {MARKS[line.status.value]:8}  {line.title(args.locale)}")
            print(f"{'':15}{line.reason(args.locale)}{f'  [{at}]' if at else ''}")
    return 1 if any(line.status.value == "broken" for line in lines) else 0
