"""A policy with a form for each kind of inquiry, people who write, and mail that comes back."""

from collections.abc import Callable
from typing import Any

import pytest

from lofte.core import clock, mail
from lofte.core.mailing.inbound import File, Incoming
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.inquiries import reads
from lofte.features.outreach.inquiries.intake import answered

KARI = {"email": "kari@example.no", "name": "Kari Nordmann", "dialogue": "Hva koster det?"}


def declare(policy: dict[str, Any]) -> None:
    """Four kinds of forms; applications have a purpose, and with it a clock, of their own."""
    policy["clocks"]["inactivity"]["signals"].append("reply")
    policy["clocks"]["half-year"] = {"kind": "fixed_age", "period": "P6M"}
    policy["purposes"]["recruitment"] = {**policy["purposes"]["answers"], "clock": "half-year"}
    policy["relations"] |= {
        "applicant": {"purposes": ["recruitment"], "clock": "half-year"},
        "supplier": {"purposes": ["answers"], "clock": "end-of-relation"},
        "partner": {"purposes": ["answers"], "clock": "end-of-relation"},
    }
    fields = [{"field": "name"}, {"field": "email"}, {"field": "dialogue", "required": False}]
    for kind in ("inquiry", "application", "supplier", "partner"):
        purpose = "recruitment" if kind == "application" else "answers"
        policy["forms"][kind] = {"kind": kind, "purpose": purpose, "files": 2, "fields": fields}
    control = {"control": "inquiries_answered", "with": {"form": "inquiry", "purpose": "answers", "within": "P30D"}}
    policy["promises"]["P08"] = {"controls": [control]}


@pytest.fixture
def declared() -> Callable[[dict[str, Any]], None]:
    """What the house declares, for a test that publishes more on top of it."""
    return declare


@pytest.fixture
def house(
    published: Any, republish: Callable[..., Any], letterbox: Any, no_limits: None, settings: Any, log: Any
) -> Any:
    """The policy in force, and mail that reaches us."""
    settings.LOFTE_MAIL_DOMAIN = "mail.small.example"
    return republish(declare)


@pytest.fixture
def ask(house: Any) -> Callable[..., reads.Line]:
    """Somebody sends in a form; the inquiry it became."""

    def send(
        kind: str = "inquiry", market: str = "NO", locale: str = "nb", files: Any = (), **values: str
    ) -> reads.Line:
        wording = specs.words(specs.find(market, locale, kind), market, locale).wording
        taken = intake.take(market, locale, kind, KARI | values, wording=wording, files=files)
        found = reads.find(taken.reference)
        assert found is not None
        return reads.one(found)

    return send


@pytest.fixture
def delivered(letterbox: Any) -> Callable[[], Any]:
    """Send what waits; the latest letter."""

    def run() -> Any:
        mail.deliver(clock.now())
        return letterbox.last()

    return run


@pytest.fixture
def comes_back() -> Callable[..., None]:
    """An answer by mail to a letter of ours."""

    def run(letter: Any, text: str, sender: str = "kari@example.no", automatic: bool = False, files: Any = ()) -> None:
        token = letter["Reply-To"].partition("+")[2].partition("@")[0]
        named = tuple(File(name, "application/octet-stream", data) for name, data in files)
        answered(
            token,
            Incoming(
                sender, f"Re: {letter['Subject']}", text, named, message_id="<1@example.no>", is_automatic=automatic,
                in_reply_to=letter["Message-ID"],
            ),
        )  # fmt: skip

    return run
