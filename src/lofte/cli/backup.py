"""`lofte backup`: copies register, log and keys while the server runs, checks the copies, and knows which must be gone by when."""

import argparse
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from lofte.cli import wiring
from lofte.kernel.problems import Problem

EXIT_CODES = """exit codes:
  0  the copy was made and checked, or is sound; nothing is overdue
  1  it could not be made, is not sound, or a copy that should be gone is still there
  2  the command was not understood

  lofte backup --to /backup/lofte --keys-to /elsewhere/lofte-keys
  lofte backup verify /backup/lofte/lofte-20261122T020000Z-1a2b3c4d /elsewhere/lofte-keys/lofte-keys-20261122T020000Z-1a2b3c4d
  lofte backup list
  lofte backup gone 1a2b3c4d5e6f7a8b

May run beside the server, and be killed at any moment: there is a whole copy or none. Data and keys go to different places, with
different readers. Copies of the keys are deleted after seven days (--keys-days), since whoever has an old one can read people
erased since; `lofte serve` does it each hour where it can reach the place, and lofte doctor says where it could not. PostgreSQL is
named by LOFTE_DATABASE and LOFTE_KEYS_DATABASE."""
ACTIONS = ("make", "verify", "list", "expire", "gone")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "backup", help="copy the three stores while the server runs, and check copies", description=__doc__, epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "action", nargs="?", choices=ACTIONS, default="make",
        help="make: copy (default); verify: check copies; list: which there are; expire: delete what is due;"
        " gone: say that the copies of a run were deleted elsewhere",
    )  # fmt: skip
    parser.add_argument(
        "what", nargs="*", metavar="COPY|RUN", help="verify: a copy of data, and of keys; gone: the run"
    )
    wiring.add_home(parser)
    parser.add_argument("--to", type=Path, metavar="DIR", help="make: where the copy of register and log goes")
    parser.add_argument(
        "--keys-to", type=Path, metavar="DIR", help="make: where the copy of the keys goes, apart from the data"
    )
    parser.add_argument(
        "--keys-days", type=_days, default=7, metavar="N", help="make: delete these keys after N days (default 7)"
    )
    parser.add_argument(
        "--days", type=_days, metavar="N", help="make: delete this copy of the data after N days (default: keep)"
    )
    parser.add_argument("--vkey", default="", help="verify: the log's public key, to see whose copy it is")
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.action == "verify":
        return _verify([Path(each) for each in args.what], args)
    if args.what and args.action != "gone":
        raise Problem(
            "backup.unknown-action",
            f"backup {args.action} takes no {args.what[0]!r}",
            way_out="See lofte backup --help.",
        )
    if args.action == "make" and args.to is None:
        raise Problem(
            "backup.no-place",
            "no place for the copy was named",
            way_out="Give --to DIR, and --keys-to DIR for the keys.",
        )
    home = wiring.enter(args.home)
    actions: dict[str, Callable[[Path, argparse.Namespace], int]] = {
        "make": _make, "list": _list, "expire": _expire, "gone": _gone,
    }  # fmt: skip
    return actions[args.action](home, args)


def _make(home: Path, args: argparse.Namespace) -> int:
    from lofte.core.backup import making

    place = making.Place(home, os.environ.get("LOFTE_DATABASE", ""), os.environ.get("LOFTE_KEYS_DATABASE", ""))
    with Told() as told:
        made = making.make(
            place, args.to, args.keys_to, keys_kept=timedelta(days=args.keys_days),
            kept=timedelta(days=args.days) if args.days else None, told=told.of,
        )  # fmt: skip
    manifest = made.manifest
    if args.json:
        said = {
            "data": str(made.data), "keys": str(made.keys) if made.keys else None, "bytes": made.bytes, "run": manifest.run,
            "log_size": manifest.log_size, "deleted": made.gone,
        }  # fmt: skip
        print(json.dumps(said))
        return 0
    print(f"{made.data}: {made.bytes:,} bytes, log of {manifest.log_size:,} entries, checked")
    if made.keys:
        print(f"{made.keys}: the keys; they are deleted after {args.keys_days} days, or delete them yourself by then")
    else:
        print(
            "The keys were not copied: without them this copy opens nothing. Give --keys-to DIR, another place than the data."
        )
    if made.gone:
        print(f"{made.gone} older copies were due and are deleted")
    return 0


def _verify(copies: list[Path], args: argparse.Namespace) -> int:
    from lofte.core.backup import checking
    from lofte.core.backup.manifest import KEYS, read
    from lofte.evidence.keys import read_signer

    if not 1 <= len(copies) <= 2:
        raise Problem("backup.no-copy", "no copy was named", way_out="lofte backup verify COPY [COPY OF THE KEYS]")
    signer = read_signer(Path(args.home) / "keys" / "log.key") if args.home else None
    vkey = args.vkey or (str(signer.verifier) if signer else "")
    if len(copies) == 1 and read(copies[0]).what == KEYS:
        held = checking.check_keys(copies[0], vkey)
        print(f"sound: the keys of {held.made_at}, each opens; to be deleted by {held.delete_by}")
        return 0
    with Told() as told:
        found = checking.check(copies[0], copies[1] if len(copies) > 1 else None, vkey, told.of("parts"))
    data = found.data
    if args.json:
        said = {
            "made_at": data.made_at, "run": data.run, "engine": data.engine, "files": len(data.files), "bytes": data.bytes,
            "log_size": data.log_size, "vkey": data.vkey, "people": found.people, "keys": found.opened,
        }  # fmt: skip
        print(json.dumps(said))
        return 0
    print(
        f"sound: {len(data.files)} files, {data.bytes:,} bytes, of {data.made_at}; log of {data.log_size:,} entries, each checked"
    )
    if found.keys:
        print(
            f"the keys fit: {found.opened:,} open, and each of {found.people:,} people has one or was erased meanwhile"
        )
    if not vkey:
        print(
            f"Signed by {data.vkey}, the key named in the copy itself. Give --vkey or --home to see that it is yours."
        )
    return 0


def _list(home: Path, args: argparse.Namespace) -> int:
    from lofte.core import clock
    from lofte.core.backup import reads

    found, state = reads.copies(), reads.state(clock.now())
    if args.json:
        print(json.dumps([_as_json(each) for each in found]))
    for each in found if not args.json else ():
        end = f"delete by {each.delete_by:%Y-%m-%d}" if each.delete_by else "kept"
        sound = "checked" if each.verified_at else "never finished"
        print(
            f"{each.run}  {each.made_at:%Y-%m-%d %H:%M}Z  {each.what:4}  {each.bytes:>14,} bytes  {sound}, {end}  {each.place}"
        )
    return 1 if state.late else 0


def _as_json(seen: Any) -> dict[str, Any]:
    return {
        "run": seen.run, "what": seen.what, "place": seen.place, "made_at": seen.made_at.isoformat(), "bytes": seen.bytes,
        "log_size": seen.log_size, "is_checked": seen.verified_at is not None,
        "delete_by": seen.delete_by.isoformat() if seen.delete_by else None,
    }  # fmt: skip


def _expire(home: Path, args: argparse.Namespace) -> int:
    from lofte.core import clock
    from lofte.core.backup import reads, verbs

    gone = verbs.delete_due(clock.now())
    late = reads.state(clock.now()).late
    print(f"{gone} copies were due and are deleted")
    for each in late:
        print(
            f"could not be reached: {each.place}, to be deleted by {each.delete_by:%Y-%m-%d}; then: lofte backup gone {each.run}"
        )
    return 1 if late else 0


def _gone(home: Path, args: argparse.Namespace) -> int:
    from lofte.core import clock
    from lofte.core.backup import verbs

    count = sum(verbs.confirm_gone(run, clock.now()) for run in args.what)
    print(f"{count} copies are noted as gone")
    return 0 if count else 1


class Told:
    """How far each part is, a line a part, where somebody sits and watches."""

    def __init__(self) -> None:
        self._now: wiring.Progress | None = None

    def __enter__(self) -> "Told":
        return self

    def of(self, part: str) -> Callable[[int, int], None]:
        self.__exit__()
        self._now = wiring.Progress(part)
        return self._now

    def __exit__(self, *_: object) -> None:
        if self._now is not None:
            self._now.__exit__()
            self._now = None


def _days(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 3650:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days; expected 1 to 3650")
    return int(text)
