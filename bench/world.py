"""A home to measure in: the example policy, really published."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from lofte.evidence.log import open_log
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish

EXAMPLE = Path(__file__).parents[1] / "policies" / "xledger"


def publish_example(home: Path) -> None:
    """Publishes into the home, with a log of its own that is then put aside: the measured log starts empty."""
    now = datetime.now(UTC)
    aside = home / "publishing"
    aside.mkdir()
    log = open_log(aside / "evidence.sqlite3", aside / "keys", "bench.example/log", lambda: now)
    try:
        publish(read_directory(EXAMPLE), home, log, now - timedelta(hours=1))
    finally:
        log.close()
