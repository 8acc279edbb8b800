"""`check`: a good policy is clean, and every fault of a broken one is named exactly: file, line, key, code, law.

Each file in tests/policies/broken is a patch of one file of tests/policies/small, and the problems it must give.
`at` is the text of the line that must be named (with #2 for its second occurrence).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lofte.kernel.problems import Problem
from lofte.rules.check import check, errors
from lofte.rules.codes import CODES

POLICIES = Path(__file__).parent.parent / "policies"
EXAMPLE = Path(__file__).parent.parent.parent / "policies" / "xledger"
TODAY = date(2026, 11, 22)


def files_of(directory: Path) -> dict[str, str]:
    names = [
        path for path in sorted(directory.rglob("*")) if path.suffix in (".yaml", ".md") and path.name != "README.md"
    ]
    return {path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8") for path in names}


SMALL = files_of(POLICIES / "small")
BROKEN = sorted((POLICIES / "broken").glob("*.yaml"))


def case(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return found


def patched(patch: Mapping[str, str]) -> dict[str, str]:
    text = SMALL[patch["file"]]
    assert patch["find"] in text
    return SMALL | {patch["file"]: text.replace(patch["find"], patch["replace"], 1)}


def line_of(text: str, at: str) -> int:
    wanted, _, number = at.rpartition("#") if at[-2:-1] == "#" else (at, "", "1")
    found = [line for line, content in enumerate(text.split("\n"), 1) if content == wanted]
    return found[int(number) - 1]


def named(problems: list[Problem]) -> list[tuple[str, str, int, str, str]]:
    return sorted((one.code, one.place.file, one.place.line, one.place.key, one.law) for one in problems)


def test_the_small_policy_is_clean() -> None:
    assert errors(check(SMALL, TODAY)) == []


@pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the example policy is not part of this checkout")
def test_the_example_policy_is_clean() -> None:
    assert errors(check(files_of(EXAMPLE), TODAY)) == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_policy_is_named_exactly(path: Path) -> None:
    wanted = case(path)
    files = patched(wanted["patch"])
    expected = [
        (
            one["code"],
            one["file"],
            one["line"] if "line" in one else line_of(files[one["file"]], one["at"]),
            one.get("key", ""),
            one.get("law", ""),
        )
        for one in wanted["problems"]
    ]

    found = errors(check(files, TODAY))

    assert named(found) == sorted(expected)
    assert all(problem.way_out for problem in found)


def test_there_are_at_least_twenty_broken_policies() -> None:
    assert len(BROKEN) >= 20


def test_all_faults_are_reported_and_not_the_first() -> None:
    policy = SMALL["policy.yaml"].replace("    basis: legitimate_interest\n", "").replace("    lifetime: P13M\n", "")
    text = SMALL["text/sv/policy.md"].replace("{{clock.quiet}}", "24 månader")

    found = errors(check(SMALL | {"policy.yaml": policy, "text/sv/policy.md": text}, TODAY))

    assert {problem.code for problem in found} >= {"purpose.no-basis", "cookie.no-lifetime", "text.number-by-hand"}


def test_norway_is_a_country_and_not_a_boolean() -> None:
    policy = SMALL["policy.yaml"].replace("    country: NO\n    law: NO\n", "    country: no\n    law: NO\n")

    [problem] = [
        one for one in errors(check(SMALL | {"policy.yaml": policy}, TODAY)) if one.place.key == "markets.NO.country"
    ]

    assert problem.expected.startswith("two capital letters")


def test_a_law_value_that_ended_is_named() -> None:
    found = errors(check(SMALL, date(2019, 1, 1)))

    expired = [one for one in found if one.code == "law.value-expired"]
    assert {one.place.key for one in expired} == {"markets.SE.law", "markets.NO.law"}
    assert any(one.law == "LEK (2022:482) 9:28, 1:8" for one in expired)


def test_an_adequacy_decision_ends_on_its_last_day() -> None:
    policy = (
        SMALL["policy.yaml"]
        .replace(
            "    name: Postbudet AS\n    role: processor\n    country: NO\n",
            "    name: Postbudet Ltd\n    role: processor\n    country: GB\n    markets: [SE]\n"
            "    transfers: [{ country: GB, tool: adequacy, reference: (EU) 2021/1772 }]\n",
        )
        .replace("markets: [SE, NO] }\n  P06", "markets: [NO] }\n  P06")
        .replace('valid_to: "2027-12-31"', 'valid_to: "2039-12-31"')
    )
    files = SMALL | {"policy.yaml": policy}

    def codes(at: date) -> set[str]:
        return {one.code for one in errors(check(files, at)) if one.place.key.startswith("recipients.post")}

    assert "transfer.no-decision" not in codes(date(2031, 12, 27))
    assert "transfer.no-decision" in codes(date(2031, 12, 28))


@pytest.mark.parametrize(
    "locale, words",
    [
        ("sv", "inom ett år"), ("sv", "efter tjugofyra månader"), ("sv", "30 dagar"), ("sv", "en vecka"),
        ("nb", "i to år"), ("nb", "innen én måned"), ("nb", "tolv måneder"), ("nb", "en uke"),
        ("en-GB", "for one year"), ("en-GB", "within twenty-four months"), ("en-GB", "two-week period"),
    ],
)  # fmt: skip
def test_periods_in_words_are_found(locale: str, words: str) -> None:
    name = f"text/{locale}/policy.md"
    files = SMALL | {name: SMALL[name] + f"\n{words}.\n"}

    assert "text.number-by-hand" in {one.code for one in errors(check(files, TODAY))}


@pytest.mark.parametrize(
    "locale, words",
    [
        ("sv", "en dag ska du få veta"), ("sv", "vi två ses"), ("nb", "en dag får du vite"), ("en-GB", "one of us"),
        ("en-GB", "see [the act](https://law.example/2023/1795)"), ("en-GB", "`P24M` is code"), ("sv", "1. en lista"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_periods_may_stand(locale: str, words: str) -> None:
    name = f"text/{locale}/policy.md"
    files = SMALL | {name: SMALL[name] + f"\n{words}\n"}

    assert [one for one in errors(check(files, TODAY)) if one.code == "text.number-by-hand"] == []


@pytest.mark.parametrize(
    "words",
    [
        "kahden vuoden kuluttua",
        "24 kuukauden ajan",
        "yhden kuukauden kuluessa",
        "puoli vuotta",
        "kolmessakymmenessä päivässä",
    ],
)
def test_finnish_inflects_and_is_found_all_the_same(words: str) -> None:
    policy = SMALL["policy.yaml"].replace("locales: [nb]", "locales: [nb, fi]")
    text = SMALL["text/nb/policy.md"] + f"\n{words}\n"
    files = SMALL | {
        "policy.yaml": policy,
        "text/fi/policy.md": text,
        "text/fi/words.yaml": SMALL["text/nb/words.yaml"],
    }

    assert "text.number-by-hand" in {one.code for one in check(files, TODAY) if one.place.file == "text/fi/policy.md"}


def test_an_empty_directory_has_one_problem() -> None:
    assert [problem.code for problem in check({}, TODAY)] == ["file.missing"]


def test_bytes_that_are_not_utf8_name_their_line() -> None:
    text = 'format: "1"\n# h\udce4r\n'

    [problem] = [one for one in check({"policy.yaml": text}, TODAY) if one.code == "file.unreadable"]

    assert (problem.place.file, problem.place.line) == ("policy.yaml", 2)


def test_aliases_that_unfold_without_end_are_refused() -> None:
    names = "abcdefghijklmno"
    grown = [f"{new}: &{new} [*{old}, *{old}, *{old}]" for old, new in pairwise(names)]
    bomb = "\n".join(["a: &a [x, x]", *grown, ""])

    assert "yaml.too-large" in {one.code for one in check({"policy.yaml": bomb}, TODAY)}

    assert "yaml.too-large" in {one.code for one in check({"policy.yaml": bomb}, TODAY)}


def test_an_alias_of_its_own_parent_is_refused() -> None:
    assert "yaml.too-large" in {one.code for one in check({"policy.yaml": "a: &a { b: *a }\n"}, TODAY)}


# A broken file never ends in a traceback

NAMES = st.sampled_from(sorted(SMALL))
POISON = ["{", "}", "[", "]", "&a ", "*a", "!!x ", "? ", ": ", "- ", "|", ">", "\t", "\n", "\ud800"]
POISON += ["{{", "}}", "@ ", '"', "'", "%", "NO", "~", "<<: ", "---\n", "...\n", "0x", "1e999", "2026-11-22", "\u2028"]


@st.composite
def garbled(draw: st.DrawFn) -> dict[str, str]:
    """The small policy with a piece of one file cut, doubled, or overwritten with anything."""
    name = draw(NAMES)
    text = SMALL[name]
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(0, 200)))
    noise = draw(st.one_of(st.text(max_size=30), st.sampled_from(POISON), st.just(text[start:end] * 2)))
    return SMALL | {name: text[:start] + noise + text[end:]}


def demand_told(files: Mapping[str, str]) -> Iterator[Problem]:
    for problem in check(files, TODAY):
        assert problem.code in CODES
        assert problem.place.line >= 1
        assert str(problem)
        yield problem


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(garbled())
def test_garbled_policies_give_problems_and_never_a_traceback(files: dict[str, str]) -> None:
    list(demand_told(files))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["policy.yaml", "text/sv/words.yaml", "text/sv/a.md", "text/x/y/z"]), st.text(max_size=300)
    )
)
def test_any_text_at_all_gives_problems_and_never_a_traceback(files: dict[str, str]) -> None:
    assert list(demand_told(files)) != []


def test_data_a_cookie_holds_beyond_its_purpose_is_a_warning() -> None:
    policy = SMALL["policy.yaml"].replace("    data: [visit]\n    host", "    data: [visit, choice]\n    host")

    found = [one for one in check(SMALL | {"policy.yaml": policy}, TODAY) if one.code == "storage.data-beyond-purpose"]

    assert [(one.severity, one.place.key) for one in found] == [("warning", "cookies.count.data.1")]


def test_a_policy_for_nobody_is_a_problem() -> None:
    head, _, rest = SMALL["policy.yaml"].partition("markets:\n")
    policy = head + "markets: {}\n\n" + rest[rest.index("fields:") :]

    found = errors(check(SMALL | {"policy.yaml": policy}, TODAY))

    assert ("policy.empty", "markets") in {(one.code, one.place.key) for one in found}
