"""The example policy says what Xledger's published policy promises, in five languages, with its exact values."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from lofte.rules.check import check, errors
from lofte.rules.controls import all_controls
from lofte.rules.model import Policy
from lofte.rules.source import Source, read
from lofte.rules.texts import Block

DIRECTORY = Path(__file__).parents[2] / "policies" / "xledger"
LOCALES = ("sv", "nb", "fi", "en-GB", "en-US")
MARKETS = {"SE": "sv", "NO": "nb", "FI": "fi", "GB": "en-GB", "US": "en-US"}
TODAY = date(2026, 11, 22)
PROMISES = [f"P{number:02}" for number in range(1, 50)]

LABELS = {
    "sv": ("Avvisa alla", "Godkänn alla"),
    "nb": ("Avvis alle", "Godta alle"),
    "fi": ("Hylkää kaikki", "Hyväksy kaikki"),
    "en-GB": ("Reject all", "Accept all"),
    "en-US": ("Reject all", "Accept all"),
}
BRITISH = r"\b(organis|recognis|behaviour|centre\b|advert(s\b|\b(?!is))|towards\b|lawful basis)"
AMERICAN = r"\b(organiz|recogniz|behavior\b|center\b|ads\b|toward\b|legal basis)"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {
        path.relative_to(DIRECTORY).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(DIRECTORY.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def source(files: Mapping[str, str]) -> Source:
    return read(files)


@pytest.fixture(scope="module")
def policy(source: Source) -> Policy:
    assert source.policy is not None
    return source.policy


LETTERS = ("inquiry", "application", "supplier", "partner")  # kinds of form by which somebody writes to us


def words(source: Source, locale: str, *path: str) -> str:
    found = source.words[locale].content
    for step in path:
        found = found[step]
    return str(found)


def said_in(source: Source, market: str) -> list[Block]:
    return [block for block in source.texts[MARKETS[market]] if block.is_for(market)]


def test_the_check_finds_no_error(files: Mapping[str, str]) -> None:
    found = errors(check(files, TODAY, frozenset(all_controls())))

    assert found == []


def test_it_makes_the_forty_nine_promises(policy: Policy) -> None:
    assert list(policy.promises) == PROMISES
    assert all(promise.controls for promise in policy.promises.values())


def test_each_promise_has_a_control_of_its_own(policy: Policy) -> None:
    bound = [binding.control for promise in policy.promises.values() for binding in promise.controls]

    assert len(bound) == len(set(bound))


@pytest.mark.parametrize("market", MARKETS)
def test_every_promise_is_made_to_the_people_of_every_market(source: Source, market: str) -> None:
    made = {promise for block in said_in(source, market) for promise in block.promises}

    assert sorted(made) == PROMISES


def test_promises_are_made_in_the_same_order_in_every_locale(source: Source) -> None:
    shapes = {
        locale: [(block.key, block.promises, block.markets) for block in source.texts[locale]] for locale in LOCALES
    }

    assert all(shape == shapes["sv"] for shape in shapes.values())


def test_norway_is_a_country(policy: Policy) -> None:
    assert list(policy.markets) == ["SE", "NO", "FI", "GB", "US"]
    assert policy.markets["NO"].country == "NO"


def test_values_are_those_of_the_published_policy(policy: Policy) -> None:
    cities = [(office.city, office.country) for office in policy.organisation.offices]

    assert cities == [
        ("Oslo", "NO"),
        ("Bristol", "GB"),
        ("Stockholm", "SE"),
        ("Colorado Springs", "US"),
        ("Helsinki", "FI"),
    ]
    assert policy.clocks["inactivity"].period == "P24M"
    assert policy.clocks["end-of-relation"].period == "P1Y"
    assert {key: policy.relations[key].clock for key in ("applicant", "supplier", "partner")} == {
        key: key for key in ("applicant", "supplier", "partner")
    }
    assert policy.last_updated == "2023-01"
    assert {market.path for market in policy.markets.values()} >= {"/uk", "/no", "/se", "/fi"}
    assert all("xledger.com" in market.domains for market in policy.markets.values())


def test_one_contact_answers_for_the_whole_group(policy: Policy) -> None:
    assert policy.controllers["xledger-ab"].name == "Xledger AB"
    for controller in policy.controllers.values():
        assert controller.email == "info@xledger.se"
        assert controller.phone == "+46 8 568 901 00"
        assert controller.post == ["Xledger", "Gårdsvägen 6", "169 70 Solna", "Sweden"]


def test_links_are_those_of_the_published_policy(policy: Policy) -> None:
    recipients = policy.recipients

    assert recipients["google"].optout_url == "http://tools.google.com/dlpage/gaoptout"
    assert recipients["google"].privacy_url == "https://policies.google.com/privacy"
    assert recipients["meta"].privacy_url == "https://www.facebook.com/ads/about/?entry_product=ad_preferences"
    assert recipients["linkedin"].privacy_url == "https://www.linkedin.com/legal/privacy-policy"


def test_bases_are_those_of_the_published_policy(policy: Policy) -> None:
    bases = {key: purpose.basis.value for key, purpose in policy.purposes.items()}

    assert {bases[key] for key in ("contact", "answers", "material")} == {"legitimate_interest"}
    assert bases["event"] == "contract"
    assert bases["customer"] == "contract"
    assert {bases[key] for key in ("newsletter", "statistics", "marketing")} == {"consent"}


def test_forms_ask_only_for_name_company_email_and_phone(policy: Policy) -> None:
    asked = {item.field for form in policy.forms.values() if form.kind not in LETTERS for item in form.fields}

    assert asked <= {"name", "company", "email", "phone"}


def test_forms_one_writes_to_us_by_ask_for_the_letter_too_and_for_nothing_else(policy: Policy) -> None:
    asked = {item.field for form in policy.forms.values() if form.kind in LETTERS for item in form.fields}

    assert asked == {"name", "company", "email", "phone", "dialogue"}


@pytest.mark.parametrize("market", MARKETS)
def test_nothing_but_the_necessary_comes_before_consent_in_any_market(policy: Policy, market: str) -> None:
    models = {key: model.value for key, model in policy.browser_purposes(market).items()}

    assert models == {
        "necessary": "necessary",
        "functional": "necessary",
        "statistics": "opt_in",
        "marketing": "opt_in",
    }


def test_every_tag_waits_for_consent(policy: Policy) -> None:
    assert {tag.purpose for tag in policy.tags.values()} == {"statistics", "marketing"}


def test_cookies_of_a_tag_share_its_purpose_and_recipient(policy: Policy) -> None:
    for cookie in policy.cookies.values():
        if cookie.tag:
            tag = policy.tags[cookie.tag]

            assert (cookie.purpose, cookie.provider) == (tag.purpose, tag.recipient)


def test_no_cookie_is_listed_twice(policy: Policy) -> None:
    listed = [(cookie.name, cookie.storage, cookie.host) for cookie in policy.cookies.values()]

    assert len(listed) == len(set(listed))


def test_cookies_hold_what_the_text_says_they_may_hold(policy: Policy) -> None:
    binding = policy.promises["P38"].controls[0]
    told = {*binding.parameters["fields"], *binding.parameters["also"]}

    assert {item for cookie in policy.cookies.values() for item in cookie.data} <= told
    assert {item for tag in policy.tags.values() for item in tag.data} <= told


@pytest.mark.parametrize("locale", LOCALES)
def test_the_banner_offers_yes_and_no_in_equal_words(source: Source, locale: str) -> None:
    labels = (words(source, locale, "banner", "reject"), words(source, locale, "banner", "accept"))

    assert labels == LABELS[locale]


@pytest.mark.parametrize("locale", LOCALES)
def test_the_banner_says_for_what_and_who(source: Source, policy: Policy, locale: str) -> None:
    lead = words(source, locale, "banner", "lead")

    assert "Xledger" in words(source, locale, "banner", "title")
    assert all(name in lead for name in ("Google", "YouTube", "Facebook", "Instagram", "LinkedIn"))
    for purpose in ("statistics", "marketing"):
        stem = words(source, locale, "purposes", purpose, "name").lower()[:7]

        assert stem in lead.lower()


@pytest.mark.parametrize("locale", LOCALES)
def test_the_banner_names_the_link_by_which_one_changes_ones_mind(source: Source, locale: str) -> None:
    assert words(source, locale, "banner", "settings_link") in words(source, locale, "banner", "withdraw_hint")


@pytest.mark.parametrize("locale", LOCALES)
def test_titles_of_promises_are_one_sentence(source: Source, locale: str) -> None:
    for promise in PROMISES:
        title = words(source, locale, "promises", promise, "title")

        assert re.fullmatch(r"[A-ZÅÄÖØÆ][^.!?]*\.", title), title
        assert len(title) <= 110, title


@pytest.mark.parametrize(("locale", "foreign"), [("en-GB", AMERICAN), ("en-US", BRITISH)])
def test_the_two_englishes_keep_their_own_spelling(files: Mapping[str, str], locale: str, foreign: str) -> None:
    for name, text in files.items():
        if name.startswith(f"text/{locale}/"):
            plain = re.sub(r"\{\{.*?\}\}|Google Ads|\w+-\w*ads", "", text)

            assert re.findall(foreign, plain, re.IGNORECASE) == [], name


def test_no_paragraph_is_left_in_another_language(source: Source) -> None:
    for one in ("sv", "nb", "fi", "en-GB"):
        for other in ("sv", "nb", "fi", "en-GB"):
            if one < other:
                same = {
                    block.key
                    for block, twin in zip(source.texts[one], source.texts[other], strict=True)
                    if block.promises
                    and block.markdown == twin.markdown
                    and not block.markdown.strip().startswith("{{")
                }

                assert same == set()


def test_the_readme_names_every_block_it_says_was_added(files: Mapping[str, str], source: Source) -> None:
    keys = {block.key for block in source.texts["sv"]}
    rows = re.findall(r"^\| [^|]+ \| ((?:`[a-z-]+`(?:, )?)+) \| (P[^|]+) \|", files["README.md"], re.MULTILINE)
    bound = {block.key: set(block.promises) for block in source.texts["sv"]}

    assert len(rows) > 20
    for named, promises in rows:
        blocks = re.findall(r"`([a-z-]+)`", named)

        assert set(blocks) <= keys
        assert set(promises.split()) <= set().union(*(bound[key] for key in blocks))
