"""`diff`: what changed, who is told, and whose yes no longer covers it."""

from datetime import date
from pathlib import Path

import pytest

from lofte.features.policy.files import read_directory
from lofte.rules.compile import assemble
from lofte.rules.diff import Difference, diff
from lofte.rules.published import Published
from lofte.rules.source import read

SMALL = read_directory(Path(__file__).parent.parent / "policies" / "small")
ALL = (("SE", "sv"), ("NO", "nb"), ("GB", "en-GB"))


def version(*patches: tuple[str, str, str]) -> Published:
    files = dict(SMALL)
    for name, find, replace in patches:
        assert find in files[name]
        files[name] = files[name].replace(find, replace, 1)
    return assemble(read(files), date(2026, 11, 22))


def after(*patches: tuple[str, str, str]) -> Difference:
    return diff(version(), version(*patches))


def test_the_same_policy_differs_in_nothing() -> None:
    found = after()

    assert not found
    assert found.text().endswith("Nothing changed.\n")


POLICY = "policy.yaml"


@pytest.mark.parametrize(
    "patch, purpose, reasons",
    [
        ((POLICY, "    data: [visit]\n", "    data: [visit, choice]\n"), "statistics", ("data",)),
        ((POLICY, "    country: IE\n", "    country: DE\n"), "statistics", ("recipients",)),
        ((POLICY, "    fields: [email, topic]", "    fields: [email, topic, name]"), "news", ("data",)),
        (
            (POLICY, "    name: Postbudet AS\n    role: processor", "    name: P\n    role: controller"),
            "news",
            ("recipients",),
        ),
        ((POLICY, "    storage: opt_in", "    storage: opt_out"), "statistics", ("meaning",)),
    ],
)
def test_consent_is_asked_anew_everywhere_when_what_it_covers_changes(
    patch: tuple[str, str, str], purpose: str, reasons: tuple[str, ...]
) -> None:
    asked = {item.purpose: item for item in after(patch).asked}

    assert (asked[purpose].editions, asked[purpose].reasons) == (ALL, reasons)


def test_new_words_ask_anew_only_where_they_are_read() -> None:
    [asked] = after(("text/sv/words.yaml", '"Skicka nyheter."', '"Skicka nyheter och erbjudanden."')).asked

    assert (asked.purpose, asked.editions, asked.reasons) == ("news", (("SE", "sv"),), ("wording",))


def test_the_sentence_of_a_form_is_part_of_its_consent() -> None:
    [asked] = after(("text/nb/words.yaml", '"Ja, send nyheter."', '"Ja, send alt."')).asked

    assert (asked.purpose, asked.editions) == ("news", (("NO", "nb"),))


def test_the_lead_of_the_banner_is_part_of_what_browsers_agreed_to() -> None:
    [asked] = after(("text/en-GB/words.yaml", "We count visits if you like.", "We count visits and clicks.")).asked

    assert (asked.purpose, asked.editions) == ("statistics", (("GB", "en-GB"),))


def test_a_label_on_a_button_asks_nobody_anew() -> None:
    found = after(("text/sv/words.yaml", 'submit: "Anmäl mig"', 'submit: "Skicka"'))

    assert found.asked == ()
    assert [(change.section, change.key) for change in found.changes] == [("forms", "news")]


def test_a_longer_clock_is_told_to_those_it_concerns() -> None:
    found = after((POLICY, "    period: P24M", "    period: P36M"))

    assert {(told.who, told.purpose) for told in found.told} == {("holders", "contact"), ("holders", "news")}
    assert [(c.section, c.key, [p.name for p in c.parts]) for c in found.changes] == [("clocks", "quiet", ["period"])]


def test_a_new_recipient_of_browser_data_is_told_to_visitors() -> None:
    found = after((POLICY, "    country: IE\n", "    country: DE\n"))

    assert [(told.who, told.purpose) for told in found.told] == [("visitors", "")]


def test_a_new_controller_is_told_to_everyone() -> None:
    found = after((POLICY, "    name: Lilla bolaget AB", "    name: Stora bolaget AB"))

    assert [told.who for told in found.told] == ["everyone"]


def test_paragraphs_are_compared_in_each_language() -> None:
    found = after(
        ("text/sv/policy.md", "utan livstecken", "utan minsta livstecken"),
        ("text/nb/policy.md", "@ where P05\n\nIngenting forlater EØS uten grunnlag.\n\n", ""),
    )

    assert [(item.locale, item.key, item.kind) for item in found.paragraphs] == [
        ("sv", "kept", "changed"),
        ("nb", "where", "removed"),
    ]
    assert found.asked == ()


def test_the_difference_reads_well_and_travels_as_json() -> None:
    found = after(
        (POLICY, "    period: P24M", "    period: P36M"), (POLICY, "    data: [visit]\n", "    data: [visit, choice]\n")
    )

    text = found.text()

    assert "period: P24M -> P36M" in text
    assert "statistics in SE/sv, NO/nb, GB/en-GB (data)" in text
    assert found.document()["asked"][0]["purpose"] == "statistics"


def test_new_words_on_a_button_of_the_banner_are_told() -> None:
    words = "text/sv/words.yaml"
    label = next(line for line in SMALL[words].splitlines() if line.strip().startswith("accept:"))

    found = after((words, label, label.replace("Godkänn", "Godta")))

    assert [(change.section, change.key) for change in found.changes] == [("banner", "accept")]
    assert not found.asked
