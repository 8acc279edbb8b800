"""The banner in Firefox: fair, there at once, calm, reachable by keyboard, and what is answered is what is recorded and obeyed."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LOOKS = """(() => ['reject', 'accept'].map((one) => {
    const element = document.getElementById('lofte-' + one), style = getComputedStyle(element), looks = {};
    const place = /grid|origin|inset|^(left|right|top|bottom)$/;
    for (const name of style) if (!place.test(name)) looks[name] = style.getPropertyValue(name);
    const box = element.getBoundingClientRect();
    return [looks, Math.round(box.width), Math.round(box.height)];
}))()"""
# Firefox measures no layout shifts: where things are is written down in every frame it paints.
WATCH = """window.places = [];
(function look() {
    const at = (selector) => {
        const found = document.querySelector(selector), box = found && found.getBoundingClientRect();
        const isSeen = box && box.height && getComputedStyle(found).visibility === 'visible';
        return isSeen ? [box.top, box.left, box.width, box.height] : null;
    };
    window.places.push(JSON.stringify([at('body > p'), at('#lofte-banner')]));
    requestAnimationFrame(look);
})()"""
FOCUS = "document.activeElement.id || document.activeElement.dataset.lofte || ''"


@pytest.fixture
def visitor(cargo: Any, firefox: Any) -> Iterator[Callable[..., Any]]:
    """``visitor(path, width, height)``: a newcomer on a quiet page of the site."""
    guests = []

    def arrive(path: str = "/uk/quiet", width: int = 1280, height: int = 700, before: str = "") -> Any:
        guest = firefox.visitor()
        guests.append(guest)
        guest.size(width, height)
        if before:
            guest.before(before)
        guest.open(cargo.origin + path)
        return guest

    yield arrive
    for guest in guests:
        guest.leave()


def _until(guest: Any, what: str) -> None:
    end = time.monotonic() + 15
    while not guest.evaluate(f"!!({what})"):
        assert time.monotonic() < end, what
        time.sleep(0.05)


def _allowed(guest: Any) -> set[str]:
    """What the readable cookie says to the guard."""
    found = {cookie["name"]: cookie["value"] for cookie in guest.cookies()}
    return set(found["lofte_on"].split(".")[1].split("~")) - {""}


def _recorded(publication: Any) -> Any:
    """The last decision in the evidence log."""
    _, log = publication
    fact = log.opened(log.find("consent", 1)[0]).fact
    return json.loads(fact)


@pytest.mark.parametrize(("path", "width"), [("/fi/quiet", 320), ("/uk/quiet", 1280)])
def test_both_answers_look_the_same_and_nothing_is_ticked(visitor: Any, path: str, width: int) -> None:
    guest = visitor(path, width, 700 if width > 320 else 568)
    reject, accept = guest.evaluate(LOOKS)

    assert reject == accept
    assert min(reject[1:]) >= 44
    assert guest.evaluate("document.querySelectorAll('#lofte-banner input:checked').length") == 0
    assert guest.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_there_from_the_first_frame_that_shows_the_page_and_moves_nothing(visitor: Any) -> None:
    guest = visitor(before=WATCH)
    _until(guest, "places.length > 20")

    shown = [json.loads(place) for place in guest.evaluate("places")]
    painted = [(page, banner) for page, banner in shown if page]
    assert len(painted) > 5
    assert {json.dumps(one) for one in painted} == {json.dumps(painted[-1])}
    assert painted[0][1] is not None


def test_the_keyboard_alone_reaches_everything_and_makes_a_choice(visitor: Any, publication: Any) -> None:
    guest = visitor()
    order = []
    for _ in range(7):
        guest.press("Tab")
        order.append(guest.evaluate(FOCUS))
    assert order == [
        *("lofte-reject", "lofte-accept", "lofte-choice-statistics", "lofte-choice-marketing", "lofte-save"),
        *("preferences", "cookies"),
    ]

    guest.open(guest.evaluate("location.href"))
    guest.press("Tab", "Tab", "Tab", " ", "Tab", "Tab", "Enter")
    _until(guest, "document.documentElement.dataset.lofteChosen === ''")
    assert _allowed(guest) == {"statistics"}
    assert _recorded(publication)["choices"] == {"statistics": True, "marketing": False}


@pytest.mark.parametrize("answer", ["reject", "accept"])
def test_an_answer_is_recorded_and_not_asked_for_again(visitor: Any, publication: Any, answer: str) -> None:
    guest = visitor()
    guest.click(f"#lofte-{answer}")
    _until(guest, "document.documentElement.dataset.lofteChosen === ''")

    is_yes = answer == "accept"
    assert set(_recorded(publication)["choices"].values()) == {is_yes}
    assert _allowed(guest) == ({"statistics", "marketing"} if is_yes else set())
    guest.open(guest.evaluate("location.href"))
    assert guest.evaluate("document.querySelector('#lofte-banner').getBoundingClientRect().height") == 0


def test_the_settings_open_over_the_page_take_a_choice_and_give_the_focus_back(visitor: Any, publication: Any) -> None:
    guest = visitor()
    guest.press(*["Tab"] * 6, "Enter")
    _until(guest, "document.querySelector('#lofte-dialog iframe')?.contentDocument.querySelector('#lofte-save')")
    guest.press("Escape")
    _until(guest, "!document.querySelector('#lofte-dialog')")
    assert guest.evaluate(FOCUS) == "preferences"

    guest.press("Enter")
    _until(guest, "document.querySelector('#lofte-dialog iframe')?.contentDocument.querySelector('#lofte-save')")
    guest.click("#lofte-choice-marketing", frame="#lofte-dialog iframe")
    guest.click("#lofte-save", frame="#lofte-dialog iframe")
    _until(guest, "document.documentElement.dataset.lofteChosen === '' && !document.querySelector('#lofte-dialog')")
    assert _allowed(guest) == {"marketing"}
    assert _recorded(publication)["choices"] == {"statistics": False, "marketing": True}
