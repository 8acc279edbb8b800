"""A house that offers a material in two markets, and somebody who asks for it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from lofte.core import clock, mail
from lofte.features.outreach.forms import intake, specs
from lofte.features.outreach.forms.intake import Taken
from lofte.features.outreach.materials import shelf

PDF = b"%PDF-1.7\n" + b"a guide to closing the year\n" * 50


def with_materials(policy: dict[str, Any]) -> None:
    policy["clocks"]["inactivity"]["signals"].append("download")
    policy["purposes"]["material"] = {
        "basis": "legitimate_interest", "scope": "person", "fields": ["email", "name", "company"], "clock": "inactivity",
        "balancing": policy["purposes"]["answers"]["balancing"],
    }  # fmt: skip
    policy["relations"]["prospect"]["purposes"].append("material")
    policy["forms"]["material"] = {
        "kind": "material", "purpose": "material", "fields": [{"field": "name"}, {"field": "email"}],
        "boxes": [{"purpose": "newsletter", "channel": "email"}],
    }  # fmt: skip
    policy["promises"]["P09"] = {"controls": [{"control": "materials_by_grant", "with": {"link_valid": "P7D"}}]}


@pytest.fixture
def shop(db: Any, published: Any, republish: Callable[..., Any], no_limits: None) -> Any:
    return republish(with_materials)


@pytest.fixture
def plan() -> Callable[..., shelf.Plan]:
    def make(**changes: Any) -> shelf.Plan:
        words = {
            locale: {"title": f"Year-end guide {locale}", "summary": f"What to close when, {locale}", "inside": "## In it\n\nAll."}
            for locale in ("sv", "nb")
        }  # fmt: skip
        given = {"slug": "year-end", "markets": ("SE", "NO"), "words": words, "form": "material", "downloads": 2}
        return shelf.Plan(**{**given, **changes})

    return make


@pytest.fixture
def guide(shop: Any, plan: Callable[..., shelf.Plan]) -> UUID:
    """A material that can be asked for."""
    made = shelf.draft(plan(), "staff:1")
    shelf.give_file(made, shelf.EVERY, "Guide.pdf", PDF, "staff:1")
    shelf.publish(made, "staff:1")
    return made


@pytest.fixture
def ask(shop: Any) -> Callable[..., Taken]:
    """Send in the form: ``ask(guide, email=...)``."""

    def send(about: UUID | None, email: str = "ola@example.no", *, box: bool = False, market: str = "NO") -> Taken:
        locale = {"NO": "nb", "SE": "sv", "FI": "fi"}[market]
        spec = specs.find(market, locale, "material")
        wording = specs.words(spec, market, locale).wording
        boxes = [("newsletter", "email")] if box else []
        values = {"name": "Ola Nordmann", "email": email}
        return intake.take(
            market, locale, "material", values, wording=wording, boxes=boxes, about=about, key=str(clock.now())
        )

    return send


@pytest.fixture
def code_of(letterbox: Any) -> Callable[[], str]:
    """The code of the link in the latest letter, once everything queued has left."""

    def latest() -> str:
        mail.deliver(clock.now())
        return str(letterbox.link("open"))

    return latest
