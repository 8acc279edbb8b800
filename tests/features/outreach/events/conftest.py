"""The example policy in force, an event, and people who register for it by its form."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lofte.core import clock, publication
from lofte.features.outreach.events import planning
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.events.planning import Plan
from lofte.features.outreach.forms import intake, specs
from lofte.features.policy.files import read_directory
from lofte.kernel.canonical import sha256_hex
from lofte.rules.compile import compile_policy
from lofte.rules.published import Published
from lofte.rules.source import read

POLICY = Path(__file__).parents[4] / "policies" / "xledger"
BEGINS = datetime(2027, 3, 3, 8, tzinfo=UTC)
NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def compiled() -> Published:
    return compile_policy(read(read_directory(POLICY)), datetime(2026, 11, 22, 12, tzinfo=UTC), None).published


@pytest.fixture
def xledger(home: Path, compiled: Published, db: Any) -> Iterator[Published]:
    content = compiled.model_dump_json(by_alias=True).encode()
    folder = home / "published"
    for name in ("objects", "publications"):
        (folder / name).mkdir(parents=True)
    (folder / "objects" / sha256_hex(content)).write_bytes(content)
    manifest = {
        "digest": compiled.digest, "version": compiled.version, "published_at": compiled.published_at,
        "files": {"policy.json": sha256_hex(content)},
    }  # fmt: skip
    (folder / "publications" / f"{compiled.digest}.json").write_text(json.dumps(manifest))
    (folder / "current").write_text(compiled.digest)
    publication.forget()
    yield compiled
    publication.forget()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock: ``at(moment)``. It stands a month before the event at first."""
    now = [NOW]

    def tick() -> datetime:
        now[0] += timedelta(milliseconds=1)  # nothing happens twice in one instant
        return now[0]

    monkeypatch.setattr(clock, "now", tick)

    def move(to: datetime) -> None:
        now[0] = to

    return move


def made_plan(**changed: Any) -> Plan:
    said = {
        "title": "Bokslutsdagen",
        "lead": "En förmiddag om bokslut.",
        "text": "## Program\n\n- Kaffe",
        "place": "Solna",
    }
    return Plan(
        **{
            "slug": "bokslut-2027", "markets": ("SE", "GB"), "contents": {"sv": said, "en-GB": {**said, "title": "Year end"}},
            "starts_at": BEGINS, "ends_at": BEGINS + timedelta(hours=3), "zone": "Europe/Stockholm", "capacity": 2, "form": "event",
            "keep": "P30D", "retention": {"phone": "P3D"}, "reminders": ("P1D", "P7D"), "online": "https://meet.example/bokslut",
        }
        | changed
    )  # fmt: skip


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """How an event is written; ``plan(capacity=1)``."""
    return made_plan


@pytest.fixture
def event(xledger: Published, at: Any) -> Callable[..., UUID]:
    """A published event; ``event(capacity=1)``."""

    def make(**changed: Any) -> UUID:
        made = planning.draft(made_plan(**changed), by="staff:1")
        planning.publish(made, by="staff:1")
        return made

    return make


@pytest.fixture
def register(xledger: Published, no_limits: None) -> Callable[..., Any]:
    """Send in the form of an event, as a browser does."""

    def send(event_id: UUID, email: str, *, market: str = "SE", locale: str = "sv", **more: Any) -> intake.Taken:
        spec = specs.find(market, locale, "event")
        values = {"name": "Astrid Ek", "company": "Ek AB", "email": email, "phone": "+46 70 111 22 33"} | more
        wording = specs.words(spec, market, locale).wording
        return intake.take(market, locale, "event", values, wording=wording, about=event_id, page="/events/se/sv/")

    return send


@pytest.fixture
def states() -> Callable[[UUID], dict[str, int]]:
    def count(event_id: UUID) -> dict[str, int]:
        rows = list(Registration.everyone.filter(event_id=event_id).values_list("state", flat=True))
        event = Event.objects.get(pk=event_id)
        assert event.taken == rows.count("registered"), "the counted places are those that are taken"
        return {state: rows.count(state) for state in sorted(set(rows))}

    return count
