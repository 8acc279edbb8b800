"""Building a form in the console, from the first click to the page people see, by somebody in marketing."""

import html
import re

import pytest
from django.test import Client

from lofte.features.outreach.forms import building, specs
from lofte.rules.catalogue import LOCALES, say

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

LOCALE = "en-GB"
EDITIONS = (("SE", "sv"), ("FI", "fi"))


@pytest.fixture
def marketer(xledger, log, member, no_limits):
    client = member("maja", "register")
    client.post("/console/locale/", {"locale": LOCALE})
    return client


def seen(client, path):
    page = client.get(path).content.decode()
    return html.unescape(re.search(r'name="seen" value="([^"]+)"', page)[1])


def filled(client, path="/console/forms/demo/", **changed):
    fields = {
        "seen": seen(client, path), "ask.name": "required", "ask.email": "required", "ask.dialogue": "optional",
        "files": "2", "markets": [market for market, _ in EDITIONS], "box.newsletter-email": "on",
    }  # fmt: skip
    for _, locale in EDITIONS:
        fields |= {f"words.{locale}.{part}": f"{part} in {locale}" for part in specs.PARTS}
    return {name: value for name, value in (fields | changed).items() if value is not None}


@pytest.fixture
def draft(marketer):
    answer = marketer.post("/console/forms/new/", {"form": "demo", "use": "inquiry/answers"})
    assert answer.status_code == 302, answer.content.decode()
    return marketer


def test_every_form_there_is_stands_in_the_list(marketer):
    page = marketer.get("/console/forms/").content.decode()
    for form in ("newsletter", "inquiry", "application", "supplier", "partner", "material", "event"):
        assert f'href="/console/forms/{form}/"' in page


def test_a_form_is_built_looked_at_published_and_taken_out_of_use(draft):
    answer = draft.post("/console/forms/demo/", filled(draft, do="save"), follow=True)
    page = answer.content.decode()
    assert say(LOCALE, "forms.build.whole") in page
    preview = draft.get("/console/forms/demo/fi/fi/").content.decode()
    assert "lead in fi" in preview
    assert "disabled" in preview
    assert say("fi", "common.how_used") in preview
    assert Client().get("/forms/fi/fi/demo/").status_code == 404
    draft.post("/console/forms/demo/", filled(draft, do="publish"))
    for market, locale in EDITIONS:
        public = Client().get(f"/forms/{market.lower()}/{locale}/demo/").content.decode()
        assert f"lead in {locale}" in public
        assert 'name="box.newsletter-email"' in public
    assert Client().get("/forms/no/nb/demo/").status_code == 404
    draft.post("/console/forms/demo/", {"do": "retire"})
    assert Client().get("/forms/se/sv/demo/").status_code == 404
    (version,) = building.versions_of("demo")
    assert "lead in sv" in draft.get(f"/console/forms/versions/{version.digest}/").content.decode()


def test_what_is_missing_is_named_in_words_and_the_draft_is_kept(draft):
    changed = {"words.fi.name": None, "ask.email": None, "do": "publish"}
    answer = draft.post("/console/forms/demo/", filled(draft, **changed))
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert say(LOCALE, "forms.lack.incomplete") in page
    parts = {"language": say("fi", "common.own_language"), "parts": say(LOCALE, "forms.part.name")}
    assert say(LOCALE, "forms.lack.no_words_of", **parts) in page
    assert "lead in sv" in page
    assert Client().get("/forms/se/sv/demo/").status_code == 404


def test_a_field_or_box_the_policy_does_not_have_cannot_be_smuggled_in(draft):
    more = {
        "ask.shoe-size": "on",
        "ask.interest": "on",
        "box.customer-email": "on",
        "markets": ["SE", "FI", "XX"],
        "do": "save",
    }
    draft.post("/console/forms/demo/", filled(draft, **more))
    held = building.draft_of(building.one("demo"))
    assert [each.field for each in held.fields] == ["name", "email", "dialogue"]
    assert [f"{box.purpose}-{box.channel}" for box in held.boxes] == ["newsletter-email"]
    assert held.markets == ("SE", "FI")


def test_the_page_of_somebody_who_was_overtaken_says_so(draft):
    mine = filled(draft, do="save")
    draft.post("/console/forms/demo/", filled(draft, do="save"))
    answer = draft.post("/console/forms/demo/", mine)
    assert answer.status_code == 409
    assert say(LOCALE, "forms.lack.draft_changed") in html.unescape(answer.content.decode())


def test_the_code_for_a_site_is_there_for_every_edition(draft):
    page = html.unescape(draft.get("/console/forms/inquiry/html/").content.decode())
    for market, locale in (("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")):
        assert f'action="http://localhost:8000/forms/{market}/{locale}/inquiry/"' in page


@pytest.mark.parametrize("locale", LOCALES)
def test_the_builder_speaks_every_language(draft, locale):
    draft.post("/console/locale/", {"locale": locale})
    for path in ("", "new/", "demo/", "inquiry/", "inquiry/html/"):
        answer = draft.get(f"/console/forms/{path}")
        assert answer.status_code == 200
        assert f'<html lang="{locale}"' in answer.content.decode()


@pytest.mark.parametrize("kind", specs.KINDS)
def test_every_kind_of_form_can_be_started_for_some_purpose(marketer, kind):
    uses = re.findall(rf'value="({kind}/[a-z-]+)"', marketer.get("/console/forms/new/").content.decode())
    assert uses
    answer = marketer.post("/console/forms/new/", {"form": f"my-{kind}", "use": uses[0]})
    assert answer.status_code == 302


def test_nothing_here_opens_without_the_right_role(member, xledger, log):
    outsider = member("omar", "auditors")
    assert outsider.get("/console/forms/").status_code == 403
    reader = member("rut", "operator")
    assert reader.post("/console/forms/new/", {"form": "x", "use": "inquiry/answers"}).status_code == 403
