"""The banner as people meet it: fair, small, reachable by keyboard, calm, and true to the policy we send."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from lofte.features.policy.files import read_directory
from lofte.rules.check import check, errors
from lofte.rules.compile import assemble
from lofte.rules.pages.banner import banner, fill
from lofte.rules.source import read

pytestmark = pytest.mark.browser

HOMES = {"sv": "/se/", "nb": "/no/", "fi": "/fi/", "en-GB": "/uk/", "en-US": "/us/"}
NODE = Path(__file__).parents[1] / "node"
POLICY = Path(__file__).parents[2] / "policies" / "xledger"
SMALL = {"width": 320, "height": 568}

LOOKS = """(id) => {
    const element = document.getElementById(id), style = getComputedStyle(element), box = element.getBoundingClientRect();
    const looks = {};
    const place = /grid|perspective-origin|transform-origin|inset|^(left|right|top|bottom)$/;
    for (const name of style) if (!place.test(name)) looks[name] = style.getPropertyValue(name);
    return [looks, Math.round(box.width), Math.round(box.height)];
}"""
BOX = (
    "(selector) => { const r = document.querySelector(selector).getBoundingClientRect(); return [r.width, r.height]; }"
)


@pytest.fixture(scope="session")
def axe() -> str:
    source = NODE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        try:
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, check=True, timeout=120
            )
        except (OSError, subprocess.SubprocessError):
            pytest.skip("axe-core is not installed; run `npm ci` in tests/node")
    return source.read_text()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("locale", HOMES)
def test_reject_looks_exactly_like_accept(visitor, locale, width):
    guest = visitor(viewport={"width": width, "height": 700})
    guest.go(HOMES[locale])

    reject, accept = guest.page.evaluate(LOOKS, "lofte-reject"), guest.page.evaluate(LOOKS, "lofte-accept")

    assert reject == accept
    assert reject[1] >= 44
    assert reject[2] >= 44


THEMES = {
    "plum": {"text": "#2a1a2e", "surface": "#fff8f2", "line": "#a98f86", "focus": "#8a3d00"}
    | {"button": {"surface": "#6b1e5e", "text": "#fff4fb"}},
    "night": {"text": "#f4f4f4", "surface": "#000000", "line": "#777777", "focus": "#ffd54a"}
    | {"button": {"surface": "#ffd54a", "text": "#101010"}},
}


@pytest.mark.parametrize("locale", HOMES)
def test_every_theme_that_passes_check_keeps_both_answers_alike_at_every_width(visitor, locale):
    files = read_directory(POLICY)
    market = {"sv": "SE", "nb": "NO", "fi": "FI", "en-GB": "GB", "en-US": "US"}[locale]
    guest = visitor()
    for name, palette in THEMES.items():
        theme = "banner: " + json.dumps({"theme": {"radius": 20, "light": palette, "dark": palette}})
        themed = {**files, "policy.yaml": files["policy.yaml"] + f"\n{theme}\n"}
        assert errors(check(themed, date(2026, 11, 23))) == []
        html = fill(banner(assemble(read(themed), date(2026, 11, 23)), market, locale)).decode()
        for width in (320, 600, 1280):
            guest.page.set_viewport_size({"width": width, "height": 700})
            guest.page.set_content(f"<!doctype html><html lang={locale}><title>{name}</title><body>{html}")
            reject, accept = guest.page.evaluate(LOOKS, "lofte-reject"), guest.page.evaluate(LOOKS, "lofte-accept")
            assert reject == accept
            red, green, blue = bytes.fromhex(palette["button"]["surface"][1:])
            assert reject[0]["background-color"] == f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_buttons_and_the_text_have_contrast(visitor, scheme):
    guest = visitor(color_scheme=scheme)
    guest.go("/se/")
    measure = """(selector) => {
        const lum = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255;
            return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
        const style = getComputedStyle(document.querySelector(selector));
        const [x, y] = [lum(style.color), lum(style.backgroundColor)].sort((p, q) => q - p);
        return (x + .05) / (y + .05);
    }"""

    for selector in ("#lofte-reject", "#lofte-accept", "#lofte-banner"):
        assert guest.page.evaluate(measure, selector) >= 7


@pytest.mark.parametrize("locale", HOMES)
def test_on_the_smallest_screen_it_takes_at_most_half_and_hides_nothing(visitor, locale):
    guest = visitor(viewport=SMALL)
    guest.go(HOMES[locale])

    height = guest.page.evaluate(BOX, "#lofte-banner")[1]
    hidden = guest.page.evaluate(
        "() => { const b = document.querySelector('#lofte-banner'); return b.scrollHeight - b.clientHeight; }"
    )

    assert height <= SMALL["height"] / 2
    assert hidden <= 0
    assert guest.page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]


@pytest.mark.parametrize("locale", HOMES)
def test_every_target_is_large_enough_and_nothing_is_ticked(visitor, locale):
    guest = visitor(viewport=SMALL)
    guest.go(HOMES[locale])

    boxes = guest.page.eval_on_selector_all(
        "#lofte-banner button, #lofte-banner label",
        "(all) => all.map(e => { const r = e.getBoundingClientRect(); return [r.width, r.height]; })",
    )

    assert all(width >= 44 and height >= 44 for width, height in boxes)
    assert guest.page.locator("#lofte-banner input:checked").count() == 0
    assert guest.page.locator("#lofte-banner input[type=checkbox]").count() == 2


def test_at_400_per_cent_it_scrolls_with_the_page(visitor):
    guest = visitor(viewport={"width": 320, "height": 256})
    guest.go("/fi/")

    position = guest.page.evaluate("getComputedStyle(document.querySelector('#lofte-banner')).position")

    assert position == "static"
    assert guest.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_first_tab_reaches_reject_and_focus_is_free_to_leave(visitor):
    guest = visitor()
    guest.go("/uk/")
    focused = "document.activeElement.id || document.activeElement.dataset.lofte || document.activeElement.className"
    order = []
    for _ in range(9):
        guest.page.keyboard.press("Tab")
        order.append(guest.page.evaluate(focused))

    assert order[:5] == [
        "lofte-reject",
        "lofte-accept",
        "lofte-choice-statistics",
        "lofte-choice-marketing",
        "lofte-save",
    ]
    assert order[5:8] == ["preferences", "cookies", "skip"]


def test_a_choice_can_be_made_with_the_keyboard_alone(visitor):
    guest = visitor()
    guest.go("/uk/")

    for _ in range(3):
        guest.page.keyboard.press("Tab")
    guest.page.keyboard.press("Space")
    guest.page.keyboard.press("Tab")
    guest.page.keyboard.press("Tab")
    with guest.page.expect_navigation():
        guest.page.keyboard.press("Enter")
    guest.settle()

    assert set(guest.stage.seen()) == {"tags.localhost", "analytics.localhost"}


def test_what_has_focus_is_never_hidden_behind_it(visitor):
    guest = visitor(viewport=SMALL)
    guest.go("/uk/")
    covered = """() => {
        const has = document.activeElement, banner = document.querySelector('#lofte-banner');
        const box = has.getBoundingClientRect();
        return !has.closest('#lofte-banner') && box.height > 0 && box.top >= banner.getBoundingClientRect().top;
    }"""

    hidden = []
    for _ in range(30):
        guest.page.keyboard.press("Tab")
        if guest.page.evaluate(covered):
            hidden.append(guest.page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))

    assert hidden == []


def test_it_is_there_with_the_first_paint_and_moves_nothing(visitor):
    guest = visitor()
    guest.page.add_init_script(
        """window.shift = 0;
        const watch = (type, tell) => new PerformanceObserver(tell).observe({type, buffered: true});
        watch('layout-shift', list => list.getEntries().forEach(entry => { window.shift += entry.value; }));
        watch('paint', () => { window.there = !!document.querySelector('#lofte-banner'); });"""
    )
    guest.go("/se/")

    assert guest.page.evaluate("[window.there, window.shift]") == [True, 0]


@pytest.mark.parametrize("decision", ["reject", "accept"])
def test_nothing_of_ours_breaks_the_policy_we_send(visitor, stage, decision):
    guest = visitor()
    guest.page.add_init_script(
        """window.broken = [];
        document.addEventListener('securitypolicyviolation', e => window.broken.push(e.effectiveDirective + e.blockedURI));"""
    )
    guest.go("/se/")
    assert guest.page.evaluate("window.broken") == []

    guest.choose(decision)
    guest.go("/se/")

    broken = guest.page.evaluate("window.broken")
    assert broken == []
    assert not [text for text in guest.complaints if "Content Security Policy" in text or "Trusted" in text]


def test_the_settings_page_obeys_its_own_policy(visitor):
    guest = visitor()
    guest.go("/lofte/preferences/no/nb/?back=/no/")

    assert guest.complaints == []
    assert guest.page.get_attribute(".back", "href") == "/no/"


def test_forced_colours_keep_borders_around_the_buttons(visitor):
    guest = visitor(forced_colors="active")
    guest.go("/se/")

    border = guest.page.evaluate("getComputedStyle(document.querySelector('#lofte-reject')).borderTopWidth")

    assert border == "1px"


def test_it_does_not_move_for_those_who_asked_for_stillness(visitor):
    guest = visitor(reduced_motion="reduce")
    guest.go("/se/")

    moving = guest.page.evaluate(
        "document.getAnimations().length + getComputedStyle(document.querySelector('#lofte-banner')).transitionDuration"
    )

    assert moving == "00s"


@pytest.mark.parametrize("path", ["/se/", "/fi/yhteys/", "/lofte/preferences/uk/en-GB/", "/", "article"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visitor, axe, path, scheme):
    guest = visitor(color_scheme=scheme, viewport={"width": 390, "height": 844}, bypass_csp=True)
    path = {"article": "/uk/articles/year-end-without-the-last-week/"}.get(path, path)
    guest.go(path.replace("/uk/en-GB", "/gb/en-GB"))
    guest.page.add_script_tag(content=axe)

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = guest.page.evaluate("(tags) => axe.run(document, {runOnly: tags})", tags)["violations"]

    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_the_settings_open_in_a_dialog_and_close_again_with_focus_back_where_it_was(visitor):
    guest = visitor()
    guest.go("/uk/")
    guest.page.focus("#lofte-banner [data-lofte=preferences]")
    for leave in ("Escape", "back"):
        guest.page.keyboard.press("Enter")
        inside = guest.page.frame_locator("#lofte-dialog iframe")
        inside.locator("#lofte-choice-statistics").focus()
        if leave == "Escape":
            guest.page.keyboard.press("Escape")
        else:
            inside.locator(".back").click()
        guest.page.wait_for_selector("#lofte-dialog", state="detached")
        assert guest.page.evaluate("document.activeElement.dataset.lofte") == "preferences"
    assert guest.page.url.endswith("/uk/")
    assert guest.complaints == []
    assert guest.cookies() == {}


def test_a_choice_in_the_dialog_holds_for_the_page_behind_it(visitor):
    guest = visitor()
    guest.go("/se/")
    guest.page.click("#lofte-settings a, a#lofte-settings")
    inside = guest.page.frame_locator("#lofte-dialog iframe")
    inside.locator("#lofte-choice-statistics").check()
    with guest.page.expect_navigation():
        inside.locator("#lofte-save").click()
    guest.settle()

    assert guest.page.url.endswith("/se/")
    assert guest.page.locator("#lofte-dialog").count() == 0
    assert not guest.page.locator("#lofte-banner").is_visible()
    assert set(guest.stage.seen()) == {"tags.localhost", "analytics.localhost"}


def test_where_there_is_no_room_or_no_script_the_settings_are_a_page(visitor):
    for options in ({"viewport": {"width": 320, "height": 256}}, {"java_script_enabled": False}):
        guest = visitor(**options)
        guest.go("/fi/")
        guest.page.click("#lofte-banner [data-lofte=preferences]")
        guest.page.wait_for_url("**/lofte/preferences/fi/fi/**")
        assert guest.page.locator("#lofte-form").is_visible()


@pytest.mark.parametrize("locale", ["fi", "en-US"])
def test_axe_finds_nothing_with_the_dialog_open(visitor, axe, locale):
    guest = visitor(viewport={"width": 390, "height": 844}, bypass_csp=True)
    guest.go(HOMES[locale])
    guest.page.click("#lofte-banner [data-lofte=preferences]")
    guest.page.frame_locator("#lofte-dialog iframe").locator("#lofte-save").wait_for()
    for frame in guest.page.frames:
        frame.add_script_tag(content=axe)

    found = guest.page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )

    assert len(guest.page.frames) == 2
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]] == []
