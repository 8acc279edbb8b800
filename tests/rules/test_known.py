"""The catalogue: what a policy takes from it by name, and what `check` finds a policy's own declarations forgot."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES, room_words
from lofte.rules.check import check, errors
from lofte.rules.known import catalogue, explained, known_as, providers
from lofte.rules.model import Tag
from lofte.rules.source import read

SMALL = Path(__file__).parent.parent / "policies" / "small"
TODAY = date(2026, 11, 23)
GOOGLE = """
  google:
    known: google
    transfers:
      - { country: US, tool: dpf, reference: "(EU) 2023/1795; UK: SI 2023/1028", assessed: "2026-11-22" }
"""
DATA = ("visit-time", "page", "referrer", "provider", "ip", "browser-id")
OWN_TAG = "\n  analytics: {{ recipient: google, purpose: statistics{} }}\n"


def files(*, tag: str = "", recipient: str = GOOGLE, cookies: str = "") -> dict[str, str]:
    """The small policy with a tag and its recipient added, and their words."""
    found = {path.relative_to(SMALL).as_posix(): path.read_text(encoding="utf-8") for path in SMALL.rglob("*.*")}
    text = found["policy.yaml"]
    fields = "".join(f"  {each}: {{ kind: text, category: device }}\n" for each in DATA)
    text = text.replace("\nfields:\n", f"\nfields:\n{fields}", 1)
    text = text.replace("    fields: [visit]\n", f"    fields: [visit, {', '.join(DATA)}]\n", 1)
    for section, added in (("tags", tag), ("recipients", recipient), ("cookies", cookies)):
        text = text.replace(f"\n{section}:\n", f"\n{section}:{added}" if added.endswith("\n") else f"\n{section}:\n", 1)
    words = {name: spoken for name, spoken in found.items() if name.endswith("words.yaml")}
    for name, spoken in words.items():
        said = spoken.replace("\ntags:\n", "\ntags:\n  analytics: { why: Counts visits. }\n", 1)
        said = said.replace("\nrecipients:\n", "\nrecipients:\n  google: { why: Counts visits for us. }\n", 1)
        found[name] = said.replace("fields:\n", "fields:\n" + "".join(f"  {each}: Data\n" for each in DATA), 1)
    return found | {"policy.yaml": text}


def told(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(one.code, one.place.key) for one in problems if one.code.startswith("known.")]


def test_every_entry_has_a_maker_words_in_all_locales_and_cookies_of_its_own():
    keys = [key for entry in catalogue().values() for key in entry.cookies]

    assert len(keys) == len(set(keys))
    assert set(catalogue()) == {
        "ga4", "gtm", "google-ads", "meta-pixel", "instagram", "linkedin-insight", "youtube", "wordpress",
    }  # fmt: skip
    assert {entry.provider for entry in catalogue().values() if entry.kind != "cms"} == set(providers())
    for locale in LOCALES:
        assert set(room_words(locale, "known")) == {f"cookies.{key}" for key in keys}


def test_a_tag_taken_by_name_brings_hosts_data_cookies_and_their_words():
    source = read(files(tag=OWN_TAG.format(", known: ga4")))

    assert source.policy is not None
    tag = source.policy.tags["analytics"]
    assert (tag.name, "*.google-analytics.com" in tag.hosts, "ip" in tag.data) == ("Google Analytics", True, True)
    assert source.policy.recipients["google"].optout_url == "https://tools.google.com/dlpage/gaoptout"
    cookie = source.policy.cookies["ga"]
    assert (cookie.name, cookie.purpose, cookie.tag, cookie.provider) == ("_ga", "statistics", "analytics", "google")
    for locale, words in source.words.items():
        assert words.content["cookies"]["ga"]["function"] == room_words(locale, "known")["cookies.ga"]


def test_a_policy_that_takes_a_tag_by_name_is_clean():
    found = check(files(tag=OWN_TAG.format(", known: ga4")), TODAY)

    assert errors(found) == []
    assert told(found) == []


def test_what_the_policy_says_itself_stands():
    source = read(files(tag=OWN_TAG.format(", known: ga4, name: Our counter, hosts: [count.example]")))

    assert source.policy is not None
    assert source.policy.tags["analytics"].name == "Our counter"
    assert source.policy.tags["analytics"].hosts == ["count.example"]


def test_a_cookie_the_policy_declares_under_another_key_is_not_declared_twice():
    mine = (
        "\n  mine: { name: _ga, party: first, provider: google, tag: analytics, purpose: statistics, lifetime: P1Y }\n"
    )
    source = read(files(tag=OWN_TAG.format(", known: ga4"), cookies=mine))

    assert source.policy is not None
    assert [key for key, one in source.policy.cookies.items() if one.name == "_ga"] == ["mine"]


def test_a_name_the_catalogue_does_not_have_is_named_with_those_it_has():
    (found,) = [one for one in check(files(tag=OWN_TAG.format(", known: ga5")), TODAY) if one.code == "known.unknown"]

    assert found.place.key == "tags.analytics.known"
    assert "ga4" in found.expected
    assert "wordpress" not in found.expected


def test_a_broken_tag_taken_by_name_leaves_the_rest_of_the_policy_readable():
    source = read(files(tag="\n  analytics: { recipient: 'Not An Id', purpose: statistics, known: ga4 }\n"))

    assert source.policy is not None
    assert [one.place.key for one in source.problems] == ["tags.analytics.recipient"]


def test_check_finds_what_a_tag_written_by_hand_forgot():
    bare = ', name: GA, hosts: ["*.google-analytics.com"]'
    plain = "\n  google: { name: Google, role: processor, country: IE }\n"
    late = (
        "\n  mine: { name: _ga, party: first, provider: google, tag: analytics, purpose: statistics, lifetime: P30D }\n"
    )

    assert sorted(told(check(files(tag=OWN_TAG.format(bare), recipient=plain, cookies=late), TODAY))) == [
        ("known.forgotten-cookie", "tags.analytics"),  # _ga_*
        *[("known.forgotten-data", "tags.analytics.data")] * len(DATA),
        *[("known.forgotten-host", "tags.analytics.hosts")] * 3,
        ("known.forgotten-transfer", "recipients.google.transfers"),
        ("known.no-link", "recipients.google"),
        ("known.no-opt-out", "recipients.google.optout_url"),
        ("known.shorter-lifetime", "cookies.mine.lifetime"),
    ]


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (["region1.google-analytics.com"], ["ga4"]),
        (["www.youtube-nocookie.com"], ["youtube"]),
        (["*.doubleclick.net", "connect.facebook.net"], ["google-ads", "meta-pixel"]),
        (["notgoogle-analytics.com"], []),
    ],
)
def test_a_tag_is_known_by_its_hosts(hosts, names):
    assert known_as(Tag(name="x", recipient="r", purpose="p", hosts=hosts)) == names
    assert [name for host in hosts for name in explained(host)] == names


def test_wordpress_by_name_brings_what_login_keeps_and_never_what_a_comment_would():
    found = files()
    found["policy.yaml"] = found["policy.yaml"].replace(
        "\nsystems:\n", "\nsystems:\n  site: { known: wordpress, fields: [] }\n", 1
    )
    source = read(found)

    assert source.policy is not None
    names = [one.name for one in source.policy.cookies.values() if one.system == "site"]
    assert "wordpress_logged_in_*" in names
    assert not [name for name in names if name.startswith("comment_author")]


def test_the_small_policy_itself_is_known_for_nothing():
    policy: Any = YAML(typ="safe", pure=True).load((SMALL / "policy.yaml").read_text(encoding="utf-8"))

    assert not [tag for tag in policy["tags"].values() if "known" in tag]
