"""A publication: the same bytes for the same policy, a digest that covers every one of them, pages a person can read."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lofte.features.policy.files import read_directory
from lofte.rules.compile import Compiled, compile_policy, recomputed_digest
from lofte.rules.published import Published
from lofte.rules.source import read

SMALL = read_directory(Path(__file__).parent.parent / "policies" / "small")
AT = datetime(2026, 11, 22, 12, 36, 1, tzinfo=UTC)
EDITIONS = ("SE/sv", "NO/nb", "GB/en-GB")


def compiled(*patches: tuple[str, str, str], at: datetime = AT, previous: Published | None = None) -> Compiled:
    files = dict(SMALL)
    for name, find, replace in patches:
        assert find in files[name]
        files[name] = files[name].replace(find, replace, 1)
    return compile_policy(read(files), at, previous)


@pytest.fixture(scope="module")
def small() -> Compiled:
    return compiled()


def test_the_same_policy_gives_the_same_bytes(small: Compiled) -> None:
    assert compiled().files == small.files


def test_the_moment_changes_no_page_and_no_digest(small: Compiled) -> None:
    later = compiled(at=AT + timedelta(hours=3))

    assert later.published.digest == small.published.digest
    assert {name for name in small.files if small.files[name] != later.files[name]} == {"policy.json"}


def test_every_edition_has_its_pages(small: Compiled) -> None:
    pages = {
        f"{edition}/{page}.html"
        for edition in EDITIONS
        for page in ("policy", "cookies", "changes", "banner", "preferences")
    }

    assert set(small.files) == pages | {"policy.json", "verdict-words.json"}


def test_policy_json_is_the_publication(small: Compiled) -> None:
    assert Published.model_validate_json(small.files["policy.json"]) == small.published
    assert small.published.published_at == "2026-11-22T12:36:01Z"
    assert small.published.policy.markets["NO"].country == "NO"


def test_the_digest_can_be_computed_again_from_the_frozen_files(small: Compiled) -> None:
    assert recomputed_digest(small.files) == small.published.digest


@pytest.mark.parametrize(
    "name", ["SE/sv/policy.html", "NO/nb/cookies.html", "GB/en-GB/banner.html", "policy.json", "verdict-words.json"]
)
def test_the_digest_covers_every_frozen_byte(small: Compiled, name: str) -> None:
    body = small.files[name]
    altered = body.replace(b"P24M", b"P23M", 1) if name == "policy.json" else body.replace(b"e", b"a", 1)

    assert altered != body
    assert recomputed_digest({**small.files, name: altered}) != small.published.digest


@pytest.mark.parametrize(
    "patch",
    [
        ("policy.yaml", "    period: P24M", "    period: P25M"),
        ("policy.yaml", "with: { clock: quiet, purpose: news }", "with: { clock: quiet }"),
        ("text/sv/policy.md", "utan livstecken", "utan livstecken alls"),
        ("text/nb/words.yaml", "Meld meg på", "Meld på"),
    ],
)
def test_any_change_gives_another_digest(small: Compiled, patch: tuple[str, str, str]) -> None:
    assert compiled(patch).published.digest != small.published.digest


def test_the_digest_names_its_place_in_the_history(small: Compiled) -> None:
    second = compiled(("policy.yaml", 'version: "2026-11"', 'version: "2026-11.1"'), previous=small.published)

    assert recomputed_digest(second.files, small.published.digest) == second.published.digest
    assert recomputed_digest(second.files) != second.published.digest


# Wordings: the hash of what was shown


def test_wordings_cover_banner_preferences_frames_policy_and_forms(small: Compiled) -> None:
    shown = {name.removeprefix("SE/sv/") for name in small.published.wordings if name.startswith("SE/sv/")}

    assert shown == {"banner", "preferences", "frame", "policy", "form.news", "box.news.news-email"}


def test_a_wording_changes_with_its_words_and_only_then(small: Compiled) -> None:
    before = small.published.wordings
    now = compiled(("text/sv/words.yaml", '"Ja, skicka nyheter."', '"Ja tack."')).published.wordings

    # The words of the box are those of the form too: a consent names both.
    assert {name for name in now if now[name] != before[name]} == {"SE/sv/form.news", "SE/sv/box.news.news-email"}


# Pages


class Outline(HTMLParser):
    """Ids, links, headings and whether tags close in order."""

    VOID = frozenset(("meta", "link", "br", "hr", "input", "img"))

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.faults: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        self.headings += [tag] if re.fullmatch(r"h[1-6]", tag) else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("name", ["policy", "cookies", "changes"])
def test_pages_are_well_formed(small: Compiled, edition: str, name: str) -> None:
    html = small.files[f"{edition}/{name}.html"]
    outline = Outline(html)

    assert (outline.faults, outline.open) == ([], [])
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.headings.count("h1") == 1
    assert all(link[1:] in outline.ids for link in outline.links if link.startswith("#"))
    assert html.count(b"<main") == 1
    assert b"<script" not in html
    assert f'<html lang="{edition.partition("/")[2]}">'.encode() in html


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_promise_has_its_verdict_slot_where_it_is_made(small: Compiled, edition: str) -> None:
    html = small.files[f"{edition}/policy.html"].decode()

    for promise in small.published.policy.promises:
        made = re.search(rf'<li id="{promise}">.*?</li>', html, re.DOTALL)
        assert made is not None
        assert f"<!--lofte:verdict:{promise}-->" in made.group()


def test_verdicts_for_the_staff_alone_leave_no_slot() -> None:
    page = compiled(("policy.yaml", "verdicts_visible_to: public", "verdicts_visible_to: staff")).files[
        "SE/sv/policy.html"
    ]

    assert b"lofte:verdict" not in page


def test_values_stand_in_the_text_in_the_readers_language(small: Compiled) -> None:
    assert "efter 24 månader utan livstecken" in small.files["SE/sv/policy.html"].decode()
    assert "etter 24 måneder uten livstegn" in small.files["NO/nb/policy.html"].decode()
    assert "{{" not in small.files["GB/en-GB/policy.html"].decode()


def test_each_edition_names_its_own_authority_and_contact(small: Compiled) -> None:
    assert "Integritetsskyddsmyndigheten (IMY)" in small.files["SE/sv/policy.html"].decode()
    assert "Datatilsynet" in small.files["NO/nb/policy.html"].decode()
    for edition in EDITIONS:
        for page in ("policy", "cookies", "changes"):
            assert b"mailto:dataskydd@small.example" in small.files[f"{edition}/{page}.html"]


def test_objecting_is_one_click_from_the_balancing_test(small: Compiled) -> None:
    links = Outline(small.files["NO/nb/policy.html"]).links

    assert links.count("/my/no/nb/") >= 2


def test_the_cookie_list_is_split_by_party_and_says_everything(small: Compiled) -> None:
    page = small.files["GB/en-GB/cookies.html"].decode()
    first, third = page.index('id="cookies-first"'), page.index('id="cookies-third"')

    assert first < page.index("<code>lofte</code>") < third < page.index("<code>cnt</code>")
    for said in (
        "180 days",
        "13 months",
        "Counts visits.",
        "Counter Ireland",
        "Statistics",
        "counter.example",
        "Time of visit",
    ):
        assert said in page


def test_names_in_declarations_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script> **x** [a](javascript:b)"
    pages = compiled(
        ("policy.yaml", "    name: Postbudet AS", f'    name: "{evil}"'),
        (
            "text/sv/policy.md",
            "Inget lämnar EES utan grund.",
            "{{recipient.post.name}} <img src=x onerror=y> [a](javascript:b)",
        ),
    ).files

    page = pages["SE/sv/policy.html"].decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:b)" in page
    assert 'href="javascript' not in page
    assert "<strong>x</strong>" not in page


def test_the_changes_page_shows_words_that_went_and_came(small: Compiled) -> None:
    page = compiled(
        ("policy.yaml", 'version: "2026-11"', 'version: "2026-12"'),
        ("text/sv/policy.md", "utan livstecken", "utan minsta ljud"),
        ("policy.yaml", "    data: [visit]\n", "    data: [visit, choice]\n"),
        previous=small.published,
    ).files["SE/sv/changes.html"].decode()  # fmt: skip

    assert "<del>livstecken.</del> <ins>minsta ljud.</ins>" in page
    assert "version 2026-11 och version 2026-12" in page
    assert "Vi frågar på nytt om</h2><ul><li>Statistik</li></ul>" in page
    assert 'href="/lofte/policy/se/sv/versions/"' in page


def test_a_changed_period_shows_in_the_sentence_that_says_it(small: Compiled) -> None:
    page = (
        compiled(("policy.yaml", "    period: P24M", "    period: P36M"), previous=small.published)
        .files["SE/sv/changes.html"]
        .decode()
    )

    assert "Vi raderar dina uppgifter efter <del>24</del> <ins>36</ins> månader utan livstecken." in page
    assert "<li><span" in page
    assert "personer med uppgifter för Nyheter" in page


def test_the_first_version_says_that_it_is_the_first(small: Compiled) -> None:
    assert "This is the first published version" in small.files["GB/en-GB/changes.html"].decode()


def test_verdict_words_are_there_in_every_locale(small: Compiled) -> None:
    words = json.loads(small.files["verdict-words.json"])

    assert set(words) == {"sv", "nb", "en-GB"}
    assert all({"kept", "broken", "unproved"} <= set(each) for each in words.values())
