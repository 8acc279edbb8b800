"""What `check` says of forms that could not be answered, that ask for a yes to no consent, or that lack their words."""

from datetime import date
from pathlib import Path

import pytest

from lofte.rules.check import check

SMALL = Path(__file__).parent.parent / "policies" / "small"
ASKED = "  news:\n    purpose: news\n    fields:\n      - { field: email }\n"
TODAY = date(2026, 11, 22)


def faults(
    more: str = "", purpose: str = "news", email: str = "{ field: email }", words: str = ""
) -> list[tuple[str, str]]:
    """The faults of the small policy with its form declared like this, as code and key."""
    names = [path for path in sorted(SMALL.rglob("*")) if path.suffix in (".yaml", ".md") and path.name != "README.md"]
    files = {path.relative_to(SMALL).as_posix(): path.read_text(encoding="utf-8") for path in names}
    asked = ASKED.replace("    purpose: news\n", f"    kind: newsletter\n{more}    purpose: {purpose}\n")
    assert ASKED in files["policy.yaml"]
    files["policy.yaml"] = files["policy.yaml"].replace(ASKED, asked.replace("{ field: email }", email))
    for name in files:
        if name.endswith("words.yaml") and words:
            files[name] = files[name].replace("forms:\n  news:\n", f"forms:\n  news:\n    {words}\n", 1)
    found = [each for each in check(files, TODAY) if each.severity == "error"]
    assert all(each.way_out for each in found)
    return [(each.code, each.place.key) for each in found]


def test_a_form_with_a_kind_is_clean() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("changed", "code", "key"),
    [
        ({"more": "    files: 2\n"}, "form.files-unread", "forms.news.files"),
        ({"purpose": "contact"}, "form.newsletter-without-consent", "forms.news.purpose"),
        ({"email": "{ field: email, required: false }"}, "form.no-address", "forms.news.fields"),
        ({"more": "    boxes: [{ purpose: contact }]\n"}, "form.box-without-consent", "forms.news.boxes.0"),
        ({"more": "    boxes: [{ purpose: statistics }]\n"}, "form.box-without-consent", "forms.news.boxes.0"),
        ({"more": "    boxes: [{ purpose: news }]\n"}, "form.doubled", "forms.news.boxes.0"),
        ({"more": "    boxes: [{ purpose: news, channel: sms }]\n"}, "form.box-without-address", "forms.news.boxes.0"),
        ({"more": "    boxes: [{ purpose: nothing }]\n"}, "policy.dangling-reference", "forms.news.boxes.0"),
    ],
)
def test_what_is_wrong_with_a_form_is_named(changed: dict[str, str], code: str, key: str) -> None:
    assert (code, key) in faults(**changed)


def test_a_box_without_words_in_a_language_is_no_consent() -> None:
    box = "    boxes: [{ purpose: news, channel: post }]\n"
    missing = ("text.missing-word", "forms.news.boxes.news-post")
    assert faults(more=box).count(missing) == 3  # one a language
    assert faults(more=box, words="boxes: { news-post: Yes please }") == []


def test_words_for_a_box_or_field_the_form_does_not_have_are_named() -> None:
    assert ("text.unknown-word", "forms.news.boxes.news-sms") in faults(words="boxes: { news-sms: Yes }")
    assert ("text.unknown-word", "forms.news.labels.phone") in faults(words="labels: { phone: Mobile }")
