"""Break what people read: words, lists, contacts, signatures. Exactly the promise that was broken turns red."""

import json
from dataclasses import replace

import pytest

from lofte.rules import catalogue
from lofte.rules.packs import law_pack

pytestmark = pytest.mark.xdist_group("sabotage")

# Judged from pages and the publication alone, in a few seconds; whoever breaks what a canary meets looks at everything.
PAGES = frozenset({"P01", "P02", "P04", "P07", "P13", "P17", "P27", "P44", "P49"})


def _without(*words: str):
    def rewrite(cookies, page):
        for word in words:
            assert word.encode() in page, word
            page = page.replace(word.encode(), b"")
        return page, []

    return rewrite


def test_a_word_missing_in_one_language_breaks_p02(system, broken_by, monkeypatch):
    whole = catalogue.room_words

    def forgetful(locale, room):
        words = dict(whole(locale, room))
        if (locale, room) == ("fi", "news"):
            del words["withdraw_any_time"]
        return words

    monkeypatch.setattr(catalogue, "room_words", forgetful)
    system.outside["/news/fi/"] = lambda cookies, page: (
        page,
        [],
    )  # the page itself cannot be made: it is not asked about here

    assert broken_by(PAGES) == {"P02"}
    assert "fi: news.withdraw_any_time" in system.reason("P02")


def test_an_edition_in_the_wrong_language_breaks_p02(system, broken_by):
    system.outside["/fi/"] = lambda cookies, page: (page.replace(b'lang="fi"', b'lang="en"'), [])

    assert broken_by(PAGES) == {"P02"}
    assert "fi: /fi/" in system.reason("P02")


def test_a_cookie_struck_from_the_public_list_breaks_p44(system, broken_by):
    system.outside["/lofte/cookies/se/sv/"] = _without("_gcl_au")

    assert broken_by() == {"P44"}
    assert "/lofte/cookies/se/sv/: _gcl_au" in system.reason("P44")


def test_an_outdated_cookie_list_breaks_p44(system, broken_by):
    system.outside["/lofte/cookies/fi/fi/"] = lambda cookies, page: (page.replace(b"<h1>", b"<h1>2022 "), [])

    assert broken_by(PAGES) == {"P44"}
    assert "not the one published last" in system.reason("P44")


def test_a_page_without_the_switchboard_breaks_p48_and_shows_other_words_than_those_signed(system, broken_by):
    system.outside["/lofte/policy/gb/en-GB/"] = lambda cookies, page: (page.replace(b"568 901 00", b""), [])

    assert broken_by() == {"P48", "P49"}
    assert "/lofte/policy/gb/en-GB/: +46 8 568 901 00" in system.reason("P48")


def test_a_receipt_without_contact_breaks_p48(system, broken_by, monkeypatch):
    monkeypatch.setattr("lofte.web.receipts._contact", lambda receipt: [])

    assert broken_by() == {"P48"}
    assert "receipt: " in system.reason("P48")


def test_a_page_that_no_longer_names_the_authority_breaks_p32(system, broken_by):
    name = "Integritetsskyddsmyndigheten"
    system.outside["/lofte/policy/se/sv/"] = lambda cookies, page: (page.replace(name.encode(), b""), [])

    assert broken_by(PAGES | {"P32"}) == {"P32", "P49"}
    assert name in system.reason("P32", "sv")


def test_a_page_that_no_longer_names_the_controller_breaks_p01(system, broken_by):
    system.outside["/lofte/policy/no/nb/"] = lambda cookies, page: (page.replace(b"Xledger (Oslo)", b"Xledger"), [])

    assert broken_by(PAGES) == {"P01", "P49"}
    assert "Xledger (Oslo)" in system.reason("P01", "nb")


def test_a_broken_signature_breaks_p49(system, broken_by):
    digest = (system.home / "published" / "current").read_text().strip()
    manifest = system.home / "published" / "publications" / f"{digest}.json"
    before = manifest.read_bytes()
    content = json.loads(before)
    content["signature"] = content["signature"][:-12] + "AAAAAAAAAA=\n"
    manifest.write_text(json.dumps(content))
    try:
        assert broken_by() == {"P49"}
    finally:
        manifest.write_bytes(before)

    assert "signature" in system.reason("P49")


def test_bytes_changed_after_publication_break_p49(system, broken_by):
    digest = (system.home / "published" / "current").read_text().strip()
    manifest = json.loads((system.home / "published" / "publications" / f"{digest}.json").read_bytes())
    frozen = system.home / "published" / "objects" / manifest["files"]["US/en-US/preferences.html"]
    before = frozen.read_bytes()
    frozen.write_bytes(before.replace(b"<h1", b"<h1 "))
    try:
        assert broken_by(PAGES) == {"P49"}
    finally:
        frozen.write_bytes(before)

    assert "US/en-US/preferences.html" in system.reason("P49")


def test_a_legitimate_interest_without_a_balancing_test_breaks_p12(system, broken_by):
    published = system.world().published
    purposes = published.policy.purposes
    bare = purposes["contact"].model_copy(update={"balancing": None})
    policy = published.policy.model_copy(update={"purposes": {**purposes, "contact": bare}})

    assert broken_by(PAGES | {"P12"}, published=published.model_copy(update={"policy": policy})) == {"P12"}
    assert "contact" in system.reason("P12")


def test_a_law_value_without_a_source_breaks_p27(system, broken_by, monkeypatch):
    def uncited(law):
        pack = law_pack(law)
        topics = {
            key: tuple(replace(row, citation="") if key == "breach" else row for row in rows)
            for key, rows in pack.topics.items()
        }
        return replace(pack, topics=topics) if law == "FI" else pack

    monkeypatch.setattr("lofte.probes.law_pack_current.law_pack", uncited)

    assert broken_by(PAGES) == {"P27"}
    assert "FI: breach" in system.reason("P27")


def test_a_form_that_asks_for_more_breaks_p04(system, broken_by):
    system.outside["/news/se/sv/"] = lambda cookies, page: (page.replace(b'name="company"', b'name="personnummer"'), [])

    assert broken_by(PAGES) == {"P04"}
    assert "personnummer" in system.reason("P04")


def test_a_box_ticked_beforehand_breaks_p14(system, broken_by):
    ticked = b'type="checkbox" checked name="consent"'
    system.outside["/news/fi/fi/"] = lambda cookies, page: (page.replace(b'type="checkbox" name="consent"', ticked), [])

    assert broken_by() == {"P14"}
    assert "/news/fi/fi/" in system.reason("P14")


def test_a_form_of_the_site_that_nobody_declared_breaks_p04(system, broken_by):
    asking = b'<form method="post" action="/se/offer"><input type="tel" name="mobile"></form>'
    system.outside["/se/"] = lambda cookies, page: (page + asking, [])

    assert broken_by({"P01", "P02", "P04", "P13"}) == {"P04"}
    assert "/se/: mobile" in system.reason("P04")


def test_a_site_that_cannot_be_read_leaves_p04_unproved(system, monkeypatch):
    monkeypatch.setattr("lofte.probes.instruments.pages._walk", lambda world, most: iter(()))

    assert system.board({"P04"})["P04"].value == "unproved"
    assert "could not be read" in system.reason("P04")
