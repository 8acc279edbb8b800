"""What a newcomer's control must bring: a file of words beside it, complete in five languages."""

import string

import pytest

from lofte.rules.control import Status, unproved
from lofte.rules.controls import LOCALES, all_controls, reason, words_of

IDS = sorted(all_controls())


def _slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_is_a_control_for_each_of_the_49_promises_and_a_second_one_for_google_analytics():
    assert len(IDS) == 50


@pytest.mark.parametrize("control_id", IDS)
def test_a_control_is_named_like_its_file_and_cites_the_law(control_id):
    control = all_controls()[control_id]

    assert control.id == control_id
    assert control.law
    assert control.fresh_for.total_seconds() > 0
    assert control.needs


@pytest.mark.parametrize("control_id", IDS)
def test_the_words_exist_in_five_languages_with_the_same_reasons_and_slots(control_id):
    words = words_of(control_id)
    model = words["en-GB"]

    assert set(LOCALES) == set(words)
    for part in words.values():
        assert part.name
        assert part.asserts.endswith(".")
        assert set(model.reasons) == set(part.reasons)
        assert {key: _slots(text) for key, text in model.reasons.items()} == {
            key: _slots(text) for key, text in part.reasons.items()
        }


@pytest.mark.parametrize("control_id", IDS)
def test_a_control_either_judges_or_says_what_is_missing(control_id):
    control = all_controls()[control_id]

    for locale in LOCALES:
        words = words_of(control_id)[locale]
        assert bool(words.missing) == (control.judge is None)
        assert bool(words.reasons) == (control.judge is not None)


@pytest.mark.parametrize("control_id", IDS)
def test_without_an_observation_nothing_is_kept_and_the_reader_learns_why(control_id):
    verdict = all_controls()[control_id].verdict(None, {})

    assert verdict.status is Status.UNPROVED
    for locale in LOCALES:
        assert len(reason(control_id, verdict, locale)) > 20


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "key, facts",
    [
        ("stale", {"hours": 72}),
        ("never-run", {}),
        ("no-browser", {}),
        ("no-mailbox", {}),
        ("no-site", {"address": "http://localhost:8000"}),
        ("failed", {"cause": "TimeoutError"}),
        ("no-control", {"control": "nothing_such"}),
        ("unbound", {}),
        ("blind", {}),
        ("unseen", {"markets": "SE"}),
    ],
)
def test_reasons_that_any_control_may_have_are_sentences_in_every_language(locale, key, facts):
    text = reason("nothing_before_consent", unproved(key, **facts), locale)

    assert text.endswith((".", ")", "SE"))
    assert "{" not in text


def test_only_the_browserless_start_is_told_how_to_get_a_browser():
    assert "scripts/run --with-browser" in reason("cookies_as_declared", unproved("no-browser"), "fi")
