"""Materials at the doors: the visitor's pages and the console's."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lofte.core import clock, mail
from lofte.features.outreach.materials import shelf
from lofte.features.outreach.materials.models import Grant, Material
from lofte.features.rights import reads as rights

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]
PDF = b"%PDF-1.7\n" + b"a guide to closing the year\n" * 50


@pytest.fixture
def guide(xledger, no_limits):
    words = {
        locale: {
            "title": f"Guide {locale}",
            "summary": f"Summary {locale}",
            "inside": "## Inside\n\n- <b>one</b>\n- two",
        }
        for _, locale in EDITIONS
    }
    plan = shelf.Plan("year-end", tuple(market.upper() for market, _ in EDITIONS), words, "material", 2)
    made = shelf.draft(plan, "staff:1")
    shelf.give_file(made, shelf.EVERY, "Guide 2027 å.pdf", PDF, "staff:1")
    shelf.publish(made, "staff:1")
    return made


@pytest.fixture
def mailed(visitor, guide, letterbox):
    """The address in the letter after somebody asked."""

    def ask(market="se", locale="sv"):
        page = f"/materials/{market}/{locale}/year-end/"
        with clock.at(clock.now() - timedelta(minutes=1)):  # nobody fills in a form at once
            shown = visitor.get(page).content.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', shown))
        action = re.search(r'action="(/forms/[^"]+)"', shown).group(1)
        fields = {"name": "Astrid Ek", "company": "Ek AB", "email": "astrid@example.se"}
        answer = visitor.client.post(action, hidden | fields, HTTP_ORIGIN="http://localhost:8000")
        assert answer.status_code == 302, answer.content.decode()
        thanks = visitor.get(answer["Location"]).content.decode()
        mail.deliver(clock.now())
        return f"/materials/{market}/{locale}/open/{letterbox.link('open')}/", thanks

    return ask


# --- visitors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("market, locale", EDITIONS)
def test_the_page_has_the_form_its_purpose_basis_and_retention_and_an_unticked_box(
    visitor, guide, xledger, market, locale
):
    shown = visitor.get(f"/materials/{market}/{locale}/year-end/").content.decode()

    assert f'<html lang="{locale}">' in shown
    assert xledger.word(locale, "purposes", "material", "name") in shown
    assert 'type="checkbox"' in shown
    assert "checked" not in shown
    assert "<b>one</b>" not in shown  # what staff write is text, not markup of theirs
    assert f"Guide {locale}" in visitor.get(f"/materials/{market}/{locale}/").content.decode()


def test_no_page_for_visitors_sets_a_cookie(visitor, mailed):
    link, _ = mailed()
    visitor.post(link)

    assert visitor.client.cookies == {}


def test_asking_looking_and_pressing_the_button_gives_the_file(visitor, mailed):
    link, thanks = mailed()

    assert "Länken är på väg" in thanks
    shown = visitor.get(link)
    assert shown.status_code == 200
    assert shown["Cache-Control"] == "no-store"
    assert Grant.everyone.get().times == 0
    given = visitor.post(link)
    assert given.content == PDF
    assert given["Content-Type"] == "application/pdf"
    assert given["Content-Disposition"] == "attachment; filename*=UTF-8''Guide%202027%20%C3%A5.pdf"
    assert given["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert given["Cache-Control"] == "no-store"
    assert Grant.everyone.get().times == 1


def test_a_program_that_presses_the_button_in_a_browser_is_given_the_file_and_counts_as_nothing(visitor, mailed):
    link, _ = mailed()

    visitor.get(link)
    pressed = visitor.post(link, HTTP_SEC_FETCH_MODE="navigate")
    assert pressed.content == PDF
    assert Grant.everyone.get().times == 0
    visitor.get(link)
    assert visitor.post(link, HTTP_SEC_FETCH_MODE="navigate", HTTP_SEC_FETCH_USER="?1").content == PDF
    assert Grant.everyone.get().times == 1


def test_a_post_from_another_site_or_without_the_page_is_refused_and_counts_nothing(visitor, mailed):
    link, _ = mailed()

    assert visitor.client.post(link, HTTP_SEC_FETCH_SITE="cross-site").status_code == 403
    assert visitor.client.post(link, HTTP_SEC_FETCH_SITE="same-origin").status_code == 403
    assert Grant.everyone.get().times == 0


@pytest.mark.parametrize("market, locale", EDITIONS)
def test_a_link_that_has_ended_says_so_and_leads_to_all_material(visitor, guide, market, locale):
    answer = visitor.get(f"/materials/{market}/{locale}/open/{'x' * 43}/")

    assert answer.status_code == 410
    assert f'href="/materials/{market}/{locale}/"' in answer.content.decode()


def test_a_material_taken_back_has_no_page_and_its_link_gives_nothing(visitor, mailed, guide):
    link, _ = mailed()
    shelf.withdraw(guide, "staff:1")

    assert visitor.get("/materials/se/sv/year-end/").status_code == 404
    assert visitor.get(link).status_code == 410
    assert "Guide sv" not in visitor.get("/materials/se/sv/").content.decode()


def test_there_is_no_way_to_the_file_without_a_link(visitor, guide):
    digest = next(iter(Material.objects.get().files.values()))

    for path in (f"/materials/se/sv/{digest}/", f"/materials/se/sv/open/{digest}/", f"/lofte/static/{digest}"):
        assert visitor.get(path).status_code in (404, 410)


# --- the console ----------------------------------------------------------------------------------------------------


@pytest.fixture
def marketer(xledger, log, member, no_limits):
    return member("bo", "register")


def _fields(**changes):
    fields = {"slug": "new-guide", "markets": ["SE", "FI"], "form": "material", "downloads": "3"}
    for locale in ("sv", "fi"):
        fields |= {
            f"title-{locale}": f"Title {locale}",
            f"summary-{locale}": f"Summary {locale}",
            f"inside-{locale}": "Text",
        }
    return fields | changes


def test_a_marketer_writes_a_material_gives_it_a_file_and_offers_it(marketer, xledger, visitor):
    made = marketer.post("/console/materials/new/", _fields())
    assert made.status_code == 302, made.content.decode()
    page = made["Location"]
    file = SimpleUploadedFile("Guide.pdf", PDF, "application/pdf")
    assert marketer.post(f"{page}give/", {"language": "every", "file": file}).status_code == 302
    assert marketer.post(f"{page}do/", {"do": "publish"}).status_code == 302
    assert visitor.get("/materials/fi/fi/new-guide/").status_code == 200
    assert marketer.post(f"{page}do/", {"do": "withdraw"}).status_code == 302
    assert visitor.get("/materials/fi/fi/new-guide/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "Not An Address"}, "slug"), ({"downloads": "99"}, "downloads"), ({"markets": []}, "markets"),
        ({"title-sv": "x" * 200}, "title-sv"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field_and_what_was_written_stays(marketer, xledger, changes, field):
    answer = marketer.post("/console/materials/new/", _fields(**changes))
    shown = answer.content.decode()

    assert answer.status_code == 422
    assert f'href="#id_{field}"' in shown
    assert "Title fi" in shown
    assert not Material.objects.exists()


def test_a_file_that_is_not_what_it_says_is_refused_on_the_page(marketer, xledger):
    page = marketer.post("/console/materials/new/", _fields())["Location"]
    answer = marketer.post(
        f"{page}give/", {"language": "every", "file": SimpleUploadedFile("Guide.pdf", b"MZ not a pdf")}
    )

    assert answer.status_code == 422
    assert 'id="id_file_error"' in answer.content.decode()


def test_what_is_not_whole_cannot_be_offered_and_the_page_says_what_lacks(marketer, xledger):
    page = marketer.post("/console/materials/new/", _fields(**{"title-fi": "", "summary-fi": "", "inside-fi": ""}))[
        "Location"
    ]
    shown = marketer.get(page).content.decode()

    assert shown.count("<li>") >= 4  # a title and a summary in Finnish, a file in both
    refused = marketer.post(f"{page}do/", {"do": "publish"})
    assert refused.status_code == 409
    assert Material.objects.get().state == "draft"


def test_numbers_of_few_people_are_not_shown(marketer, guide, visitor, mailed):
    mailed()
    shown = marketer.get("/console/materials/").content.decode()

    assert "färre än 5" in shown or "fewer than 5" in shown


def test_whose_role_does_not_have_it_sees_no_materials(member, guide):
    operator = member("per", "operator")

    assert operator.get("/console/materials/").status_code == 403
    assert operator.post(f"/console/materials/{guide}/do/", {"do": "withdraw"}).status_code == 403
    assert Material.objects.get().state == "published"


# --- the person -----------------------------------------------------------------------------------------------------


def test_what_somebody_asked_for_stands_in_their_own_pages_and_copy(visitor, mailed, portal_code):
    link, _ = mailed()
    visitor.post(link)
    assert visitor.post(f"{visitor.my}open/{portal_code('astrid@example.se')}/").status_code == 302

    shown = visitor.get(f"{visitor.my}data/").content.decode()
    assert "Material du har bett om" in shown
    assert "Guide sv" in shown
    assert "Du har hämtat filen." in shown
    package = rights.access_package(Grant.everyone.get().person_id)
    (asked,) = package["materials"]
    assert (asked["title"], asked["times"], asked["purpose"]) == ("Guide sv", 1, "material")
