"""A person's page in the console: relations, where they work, what was said, and what is held and why, by one look."""

import re
from datetime import timedelta

import pytest

from lofte.core import clock
from lofte.features.register import verbs as register
from lofte.features.register.models import Look

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
HEADINGS = {"sv": "Dialog", "nb": "Dialog", "fi": "Yhteydenpito", "en-GB": "Dialogue", "en-US": "Conversations"}


@pytest.fixture
def astrid(xledger):
    """A customer with a place, a call and a relation in Sweden."""
    person = register.welcome()
    here = {"market": "SE", "locale": "sv"}
    register.begin_relation(person, "customer", **here)
    register.hold(person, {"email": "astrid@example.se", "name": "Astrid Ek"}, "customer", source="import:x", **here)
    place = {"company": "Fjord AB", "title": "Ekonomichef", "role": "Beslutar"}
    register.place(person, place, "customer", source="import:x", **here)
    at = clock.now() - timedelta(days=2)
    how = {"medium": "phone", "direction": "in", "at": at, "by": "staff:1"}
    register.note(person, "Frågade om <b>fakturan</b>", "customer", **how, **here)
    return person


@pytest.fixture
def shown(staff, astrid):
    """The page of Astrid for a stated purpose."""

    def show(purpose="customer", locale="en-GB"):
        staff.post("/console/locale/", {"locale": locale, "next": "/console/"})
        asked = {"sought": "astrid@example.se", "purpose": purpose}
        return staff.post("/console/people/", asked, follow=True).content.decode()

    return show


@pytest.mark.parametrize("locale", HEADINGS)
def test_the_page_shows_place_dialogue_and_relation_in_every_language(shown, locale):
    page = shown(locale=locale)

    assert f'<h2 id="dialogue">{HEADINGS[locale]}</h2>' in page
    for text in ("Fjord AB", "Ekonomichef · Beslutar", "Frågade om &lt;b&gt;fakturan&lt;/b&gt;", "(SE)"):
        assert text in page
    assert not re.search(r"console\.file|\{since\}|None|&lt;time", page)


def test_the_page_is_one_look_by_name(shown, astrid):
    shown()

    look = Look.objects.of(astrid).get()
    assert look.purpose == "customer"
    assert {"company", "title", "role", "dialogue"} <= set(look.fields)


def test_another_purpose_shows_nothing_of_it(shown):
    page = shown(purpose="contact")

    for text in ("Fjord AB", "Ekonomichef", "fakturan"):
        assert text not in page
    assert "No dialogue is noted for this purpose." in page
