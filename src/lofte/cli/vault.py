"""`lofte vault`: the keys that wrap people's keys. Rotating makes every copy of a key in an older backup worthless."""

import argparse
import json

from lofte.cli import wiring

EXIT_CODES = """exit codes:
  0  done, or nothing stands in the way
  1  it could not be done; what was done stands, and the same command goes on there
  2  the command was not understood

Rotating may run beside the server and be stopped or killed at any moment: until it is whole the old epoch key stays, and every
key opens. Run it again and it goes on. A copy of the keys folder that holds the old epoch key keeps its power:
delete old copies."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "vault", help="see and rotate the keys of the vault", description=__doc__, epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "action", choices=["status", "rotate"],
        help="status: the epochs and how many keys each wraps; rotate: wrap every key anew and destroy the old epoch keys",
    )  # fmt: skip
    wiring.add_home(parser)
    parser.add_argument("--json", action="store_true", help="status: say it as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    wiring.enter(args.home)
    return _rotate() if args.action == "rotate" else _status(args.json)


def _status(as_json: bool) -> int:
    from lofte.core import vault

    found = vault.epochs()
    if as_json:
        print(json.dumps([{"epoch": each.name, "keys": each.keys, "is_there": each.is_there} for each in found]))
    else:
        for each in found:
            print(f"{each.name}\t{each.keys} keys\t{'' if each.is_there else 'the epoch key is not there'}".rstrip())
        if len(found) > 1:
            print("A rotation has begun and not ended: lofte vault rotate goes on with it.")
    return 0 if all(each.is_there for each in found) else 1


def _rotate() -> int:
    from lofte.core import rotation

    with wiring.Progress("keys") as told:
        ended = rotation.rotate("operator", told)
    print(f"{ended.keys} keys wrapped anew under epoch {ended.epoch}; no older epoch key is left")
    return 0
