"""`lofte restore`: puts a copy into an empty data directory, and erases again whoever was erased since before the door opens."""

import argparse
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from lofte.cli import wiring
from lofte.cli.backup import Told
from lofte.core.backup.placing import Marker, Wish
from lofte.kernel.problems import Problem

EXIT_CODES = """exit codes:
  0  restored, and everybody who was erased since is erased again: start the server
  1  it could not be done; a house half restored stays shut, and the same command goes on
  2  the command was not understood

  lofte restore /backup/lofte/lofte-20261122T020000Z-1a2b3c4d --home /var/lib/lofte-new --surviving /var/lib/lofte-old
  lofte restore COPY --home NEW --keys COPY_OF_THE_KEYS --head checkpoint.txt
  lofte restore --home DIR

The last form has no copy: it goes on with a restore that was killed, or erases again after a database was put back by other means
(a snapshot, point-in-time recovery). The server refuses to start until that is done.

--surviving names what is left of the old data directory: its log and its keys are newer than any copy and are used where they are
whole. Without the newest log or a signed head that shows that nothing is missing, the log is not opened: people hold receipts that
it may not know. --accept-lost-entries says that somebody decided so, and why; it is written into the log, which goes on under
another name and key. PostgreSQL: LOFTE_DATABASE (and LOFTE_KEYS_DATABASE) name empty databases, LOFTE_SURVIVING_DATABASE the old
one."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "restore", help="put a copy back, and erase again whoever was erased since", description=__doc__, epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "copy", nargs="?", type=Path, metavar="COPY", help="a copy of the data; none to go on with a restore"
    )
    wiring.add_home(parser)
    parser.add_argument("--keys", type=Path, metavar="DIR", help="a copy of the keys, made with the data or later")
    parser.add_argument("--surviving", type=Path, metavar="DIR", help="what is left of the old data directory")
    parser.add_argument(
        "--head", type=Path, metavar="FILE", help="a checkpoint the log has signed, from a mirror or a reader"
    )
    parser.add_argument(
        "--accept-lost-entries",
        default="",
        metavar="REASON",
        help="open a log that may lack entries, for a reason that is logged",
    )
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lofte.core import environment

    environment.is_restoring = True
    home = _home(args.home)
    os.environ["LOFTE_HOME"] = str(home)
    if args.copy is not None:
        _place(_wish(args, home))
    elif not home.is_dir():
        raise Problem("restore.nothing", "there is no such data directory", way_out="Name the copy to restore into it.")
    return _replay(home, args.json)


def _home(said: Path | str | None) -> Path:
    if not said:
        raise Problem("settings.no-home", "no data directory was named", way_out="Give --home DIR or set LOFTE_HOME.")
    return Path(said).expanduser().absolute()


def _wish(args: argparse.Namespace, home: Path) -> Wish:
    reason = args.accept_lost_entries.strip()
    if "@" in reason or len(reason) > 200:
        raise Problem(
            "restore.bad-reason", "the reason is written into the log for ever; name nobody in it, in at most 200 signs"
        )
    try:
        head = args.head.read_text() if args.head else ""
    except (OSError, UnicodeDecodeError):
        raise Problem("restore.bad-head", "the file with the head cannot be read") from None
    return Wish(
        copy=args.copy.expanduser().absolute(), home=home, keys=args.keys and args.keys.expanduser().absolute(),
        surviving=args.surviving and args.surviving.expanduser().absolute(), head=head, accepted=reason,
        database=os.environ.get("LOFTE_DATABASE", ""), keys_database=os.environ.get("LOFTE_KEYS_DATABASE", ""),
        surviving_database=os.environ.get("LOFTE_SURVIVING_DATABASE", ""),
    )  # fmt: skip


def _place(wish: Wish) -> None:
    from datetime import UTC, datetime

    from lofte.core.backup import manifest as manifests
    from lofte.core.backup import placing

    marker = placing.read_marker(wish.home) if wish.home.is_dir() else None
    if marker is not None and marker.phase == placing.REPLAYING and marker.run == manifests.read(wish.copy).run:
        return  # it was killed after everything was in its place
    with Told() as told:
        copied = placing.place(wish, lambda: datetime.now(UTC), told.of)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lofte.core.settings")
        import django

        django.setup()
        placing.demand_known_migrations("default", copied.migrations)
        if wish.database:
            folder = wish.copy / "register" / "register"
            placing.fill("default", wish.database, folder, "register/register/", copied, told.of("tables"))
        if wish.keys_database and wish.keys:
            held = manifests.read(wish.keys)
            placing.fill("keys", wish.keys_database, wish.keys / "keystore", "keystore/", held)
    placed = placing.read_marker(wish.home)
    assert placed is not None, "written by place"
    placing.write_marker(wish.home, replace(placed, phase=placing.REPLAYING))


def _replay(home: Path, as_json: bool) -> int:
    from lofte.core.backup import placing

    marker = placing.read_marker(home)
    if marker is not None and marker.phase == placing.PLACING:
        raise Problem(
            "restore.half-placed", "the restore was stopped before everything was in its place",
            way_out="Give the same command again, with the copy.",
        )  # fmt: skip
    wiring.enter(home)
    from lofte.core.backup import replaying

    house = wiring.open_house(home, os.environ.get("LOFTE_ORIGIN", "http://localhost:8000"), restoring=True)
    try:
        with wiring.Progress("people") as told:
            done = replaying.replay(house.log, wiring.log_location(home), marker, told)
        size = house.log.size()
    finally:
        house.close()
    placing.open_the_door(home)
    if as_json:
        print(json.dumps({"replayed": asdict(done), "log_size": size, "restore": asdict(marker) if marker else None}))
    else:
        _say(done, marker, size)
    return 0


def _say(done: "object", marker: Marker | None, size: int) -> None:
    from lofte.core.backup.replaying import Replayed

    assert isinstance(done, Replayed)
    if marker is not None:
        print(
            f"restored the copy of {marker.made_at}; keys from the {marker.keys_from}, log from the {marker.log_from}"
        )
    print(
        f"erased again: {done.people} people ({done.rows} rows), {done.keys} keys, {done.openings} openings in the log"
    )
    if done.partly:
        print(f"erased again but for what a statute keeps: {done.partly} people")
    if done.unproved:
        print(
            f"{done.unproved} of them were being erased when the house was lost, with no proof in the log: look in the connected"
            " systems yourself"
        )
    if done.withdrawn or done.restricted:
        print(f"taken back again: {done.withdrawn} consents, {done.restricted} restrictions")
    if marker is not None and marker.lost:
        lost = f"{marker.lost} entries are" if marker.lost > 0 else "an unknown number of entries is"
        print(f"{lost} lost from the log; it goes on under another name and key, and says so in its first own entry")
    print(f"the log has {size} entries. The door is open: start the server.")
