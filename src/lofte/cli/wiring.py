"""Where everybody meets everybody: the only module that knows all rooms. Commands enter the house through here.

`enter` makes Django usable for a data directory; `open_house` also opens the evidence log, subscribes the features to each
other's facts and starts the chores. One process at a time holds a house open: the log refuses a second writer.
"""

import argparse
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from lofte.evidence.keys import read_signer
from lofte.evidence.log import Log
from lofte.kernel.problems import Place, Problem

_log = logging.getLogger(__name__)


def add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home",
        type=Path,
        default=os.environ.get("LOFTE_HOME") or None,
        metavar="DIR",
        help="data directory (default: LOFTE_HOME)",
    )


class Progress:
    """Says on standard error how far long work is, where somebody sits and watches; at most ten times a second."""

    def __init__(self, unit: str) -> None:
        self._unit, self._is_watched, self._last, self._is_dirty = unit, sys.stderr.isatty(), 0.0, False

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, done: int, total: int) -> None:
        now = monotonic()
        if self._is_watched and (done >= total or now - self._last >= 0.1):
            print(f"\r{done:,} of {total:,} {self._unit}", end="", file=sys.stderr, flush=True)
            self._last, self._is_dirty = now, True

    def __exit__(self, *_: object) -> None:
        if self._is_dirty:
            print(file=sys.stderr)


def enter(home: Path | str | None, **environment: str) -> Path:
    """Django, set up on a data directory with its tables made. Returns the directory. Raises Problem on bad settings.

    ``environment`` sets further LOFTE_ variables that are not set yet.
    """
    if not home:
        raise Problem(
            "settings.no-home", "no data directory was named", way_out="Give --home DIR or set LOFTE_HOME."
        )  # fmt: skip
    os.environ["LOFTE_HOME"] = str(Path(home).expanduser().absolute())
    for name, value in environment.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lofte.core.settings")
    import django
    from django.core.management import call_command
    from django.db import DatabaseError

    django.setup()
    # The keys' own tables are all their database holds: to walk every room's there takes as long as to make them here.
    for database, rooms, variable in (("keys", ["keys"], "LOFTE_KEYS_DATABASE"), ("default", [], "LOFTE_DATABASE")):
        try:
            call_command("migrate", *rooms, database=database, interactive=False, verbosity=0)
        except DatabaseError as error:
            raise Problem(
                "settings.no-database", f"the database cannot be used ({type(error).__name__})", Place(key=variable),
                way_out="Is it running, and are address, name and password right? For a file: is it whole and writable?",
            ) from error  # fmt: skip
    return Path(os.environ["LOFTE_HOME"])


@dataclass(slots=True)
class House:
    """Everything that runs while a house is open."""

    home: Path
    log: Log
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    on_close: list[Callable[[], None]] = field(default_factory=list)

    def start(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Runs ``work(stopping)`` on a thread of its own until the house closes."""
        thread = threading.Thread(target=work, args=(self.stopping,), name=f"lofte-{name}", daemon=True)
        self.threads.append(thread)
        thread.start()

    def close(self, timeout_s: float = 20) -> None:
        """Lets every chore finish what it holds, then closes the log."""
        from lofte.core import evidence

        self.stopping.set()
        for stop in self.on_close:
            stop()
        for thread in self.threads:
            thread.join(timeout_s)
        evidence.set_log(None)
        self.log.close()


def log_location(home: Path) -> Path | str:
    return os.environ.get("LOFTE_DATABASE") or home / "evidence.sqlite3"


def open_house(home: Path, origin: str, *, restoring: bool = False) -> House:
    """The house of an entered directory, open: log, facts and chores. ``origin`` names the log. Close it when done.

    Raises Problem, among others when register or keys are older than the newest erasure in the log; ``restoring`` mends that.
    """
    from lofte.core import clock, evidence
    from lofte.core.backup import replaying
    from lofte.evidence.log import open_log

    log = open_log(log_location(home), home / "keys", log_name(origin, home), clock.now)
    try:
        if not restoring:
            replaying.demand_up_to_date(log)
    except BaseException:
        log.close()
        raise
    evidence.set_log(log)
    house = House(home, log)
    subscribe()
    connect_systems(home)
    return house


def connect_systems(home: Path) -> None:
    """The connected systems of the directory; what is owed to them is tried again at once."""
    from lofte import connectors
    from lofte.core import obligations

    for system in connectors.connect_all(home):
        obligations.hurry(system)


def log_name(origin: str, home: Path | None = None) -> str:
    """The log's name in checkpoints: the site's host at the first start, a schema-less URL as C2SP asks.

    A log keeps its name for life: served from another host or port, it is still the log that issued its receipts.
    """
    begun = read_signer(home / "keys" / "log.key") if home else None
    return begun.verifier.name if begun else f"{origin.partition('://')[2]}/lofte/log"


def subscribe() -> None:
    """Who hears of which fact. Features name their own side in `facts.SUBSCRIPTIONS`: fact -> handler."""
    from django.apps import apps

    from lofte.core import outbox

    for config in apps.get_app_configs():
        if not config.name.startswith("lofte."):
            continue
        try:
            facts = importlib.import_module(f"{config.name}.facts")
        except ModuleNotFoundError as error:
            if error.name != f"{config.name}.facts":
                raise
            continue
        for kind, handler in facts.SUBSCRIPTIONS.items():
            outbox.subscribe(kind, handler)


def drain_facts(stopping: threading.Event) -> None:
    """Carries facts from the outbox into the log and to their subscribers, until the house closes; then once more."""
    from django.db import close_old_connections

    from lofte.core import outbox

    pause_s = 0.2
    while True:
        is_last = stopping.wait(pause_s)
        try:
            close_old_connections()
            outbox.drain()
        except Problem as problem:
            _log.error("facts wait", extra={"fields": {"cause": problem.code}})
            stopping.wait(5)
        except Exception as error:
            _log.error("facts wait", extra={"fields": {"cause": type(error).__name__}})
            stopping.wait(5)
        if is_last:
            return
