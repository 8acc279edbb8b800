"""The promise in one file: nothing before a choice, exactly what was chosen after it, and nothing again when it is withdrawn."""

import pytest

pytestmark = pytest.mark.browser

ARTICLES = {
    "sv": "/se/artiklar/bokslut-utan-sista-veckan/",
    "nb": "/no/artikler/arsavslutning-uten-siste-uke/",
    "fi": "/fi/artikkelit/tilinpaatos-ilman-viimeista-viikkoa/",
    "en-GB": "/uk/articles/year-end-without-the-last-week/",
    "en-US": "/us/articles/year-end-close-without-the-last-week/",
}
OWN = {"lofte", "lofte_on"}
STATISTICS = {"tags.localhost", "analytics.localhost"}
MARKETING = {"ads.localhost", "facebook.localhost", "instagram.localhost", "linkedin.localhost", "youtube.localhost"}
STATISTICS_COOKIES = {"_ga", "_ga_DEMO1"}
MARKETING_COOKIES = {"_fbp", "_gcl_au", "li_fat_id"}


@pytest.mark.parametrize("locale", ARTICLES)
def test_before_a_choice_no_third_party_is_asked_and_nothing_is_kept(visitor, stage, locale):
    newcomer = visitor()

    newcomer.go(ARTICLES[locale])

    assert stage.seen() == {}
    assert newcomer.cookies() == {}
    assert newcomer.storage() == []
    assert not [text for text in newcomer.complaints if "lofte" in text.lower()]


def test_waiting_scrolling_and_going_on_is_no_consent(visitor, stage):
    newcomer = visitor()

    newcomer.go("/se/")
    newcomer.page.mouse.wheel(0, 2000)
    newcomer.page.click("nav a >> nth=1")
    newcomer.settle()

    assert newcomer.page.is_visible("#lofte-banner")
    assert stage.seen() == {}
    assert newcomer.cookies() == {}


def test_after_accept_every_declared_tag_runs_and_nothing_undeclared(visitor, stage):
    guest = visitor()
    guest.go(ARTICLES["sv"])

    guest.choose("accept")
    guest.go(ARTICLES["sv"])

    assert set(stage.seen()) == STATISTICS | MARKETING
    assert set(guest.cookies()["localhost"]) == OWN | STATISTICS_COOKIES | MARKETING_COOKIES
    assert not guest.page.is_visible("#lofte-banner")
    assert guest.page.frame_locator("iframe").get_by_role("button").is_visible()
    assert ("script", "chat.localhost", False) in {(r.kind, r.what.partition(":")[0], r.declared) for r in stage.held}


def test_statistics_alone_brings_statistics_alone(visitor, stage):
    guest = visitor()
    guest.go(ARTICLES["nb"])

    guest.page.check("#lofte-choice-statistics")
    guest.choose("save")
    guest.go(ARTICLES["nb"])

    assert set(stage.seen()) == STATISTICS
    assert set(guest.cookies()["localhost"]) == OWN | STATISTICS_COOKIES


def test_reject_keeps_the_answer_and_nothing_else(visitor, stage):
    guest = visitor()
    guest.go(ARTICLES["fi"])

    guest.choose("reject")
    assert guest.page.evaluate("document.activeElement.dataset.lofte") == "done"
    guest.go(ARTICLES["fi"])

    assert stage.seen() == {}
    assert guest.cookies() == {"localhost": sorted(OWN)}
    assert not guest.page.is_visible("#lofte-banner")


def test_withdrawal_takes_two_clicks_and_leaves_nothing(visitor, stage):
    guest = visitor()
    guest.go(ARTICLES["en-GB"])
    guest.choose("accept")
    guest.context.add_cookies(
        [
            {"name": "_ga_http", "value": "1", "url": stage.origin, "httpOnly": True},
            {"name": "_gac_path", "value": "1", "domain": "localhost", "path": "/uk/articles"},
        ]
    )
    guest.page.evaluate("localStorage.setItem('lastExternalReferrer', 'x')")
    guest.go(ARTICLES["en-GB"])
    stage.forget()

    guest.page.click("#lofte-settings, #lofte-settings a")
    with guest.page.expect_navigation():
        guest.page.click("#lofte-dialog iframe >> internal:control=enter-frame >> #lofte-withdraw")
    guest.settle()
    guest.go(ARTICLES["en-GB"])

    assert stage.seen() == {}
    assert guest.cookies()["localhost"] == sorted(OWN)
    assert guest.storage() == []


def test_without_javascript_the_form_does_the_same_and_held_things_stay_links(visitor, stage):
    guest = visitor(java_script_enabled=False)
    guest.go(ARTICLES["en-US"])
    assert guest.page.is_visible("#lofte-banner")

    guest.choose("accept")

    assert guest.page.url == stage.origin + ARTICLES["en-US"]
    assert guest.cookies()["localhost"] == sorted(OWN)
    assert not guest.page.is_visible("#lofte-banner")
    assert guest.page.is_visible(".lofte-held a")
    assert stage.seen() == {}


@pytest.mark.parametrize(("path", "scripts"), [("/us/", True), ("/se/", True), ("/se/", False)])
def test_a_browser_that_sends_gpc_is_asked_only_about_what_that_does_not_answer(visitor, stage, path, scripts):
    guest = visitor(extra_http_headers={"Sec-GPC": "1"}, java_script_enabled=scripts)

    guest.go(path)

    assert guest.page.is_visible('[data-lofte="gpc"]')
    assert guest.page.is_visible("#lofte-choice-statistics")
    assert not guest.page.is_visible("#lofte-choice-marketing")
    assert stage.seen() == {}
    guest.choose("accept")
    guest.settle()
    assert set(stage.seen()) == (STATISTICS if scripts else set())
    guest.go(guest.page.get_attribute("#lofte-settings", "href"))
    assert [guest.page.is_checked(f"#lofte-choice-{each}") for each in ("statistics", "marketing")] == [True, False]


def test_the_guard_refuses_what_page_code_writes_and_says_so_once(visitor, stage):
    guest = visitor()
    guest.go("/se/")

    left = guest.page.evaluate(
        """() => {
            document.cookie = '_ga=1; path=/'; document.cookie = 'x=1'; document.cookie = 'x=2';
            localStorage.setItem('lastExternalReferrer', '1'); localStorage.other = '2'; sessionStorage.setItem('a', 'b');
            let db = 'open'; try { indexedDB.open('other'); } catch (e) { db = e.name; }
            return [document.cookie, Object.keys(localStorage).length, Object.keys(sessionStorage).length, db];
        }"""
    )
    for _ in range(30):  # beacons leave when the browser finds time
        guest.page.wait_for_timeout(100)
        told = sorted(what for directive, what in stage.violations if directive == "lofte-cookie")
        if len(told) > 1:
            break

    assert left == ["", 0, 0, "SecurityError"]
    assert told == ["_ga", "x"]


def test_what_the_guard_leaves_for_later_is_asked_for_where_there_is_something_to_do(visitor):
    guest = visitor()
    asked = []
    guest.page.on("request", lambda request: asked.append(request.url) if "release.js" in request.url else None)

    guest.go("/se/")
    assert asked == []
    guest.page.evaluate("document.cookie = 'x=1'")
    guest.settle()
    assert len(asked) == 1
    guest.choose("accept")
    guest.go("/se/")
    assert len(asked) > 1


def test_injected_scripts_images_frames_and_calls_go_nowhere(visitor, stage):
    guest = visitor()
    guest.go("/se/")

    guest.page.evaluate(
        """(port) => {
            const to = 'http://chat.localhost' + port;
            const add = (tag, set) => {
                const made = document.createElement(tag);
                try { set(made); } catch (e) {}
                document.body.append(made);
            };
            add('script', e => { e.src = to + '/widget.js'; });
            add('img', e => { e.src = to + '/hello'; });
            add('iframe', e => { e.src = to + '/'; });
            add('link', e => { e.rel = 'prefetch'; e.href = to + '/p'; });
            fetch(to + '/f').catch(() => {});
            navigator.sendBeacon(to + '/b');
            const x = new XMLHttpRequest(); x.open('GET', to + '/x'); x.send();
            new EventSource(to + '/e');
            new WebSocket(to.replace('http', 'ws') + '/w');
        }""",
        f":{stage.port}",
    )
    guest.page.wait_for_timeout(500)

    assert stage.seen() == {}


def test_the_switch_is_remembered_only_by_those_who_use_it(visitor, stage):
    guest = visitor()
    guest.go("/se/")
    assert guest.cookies() == {}

    guest.page.click(".switch summary")
    guest.page.click('.switch button[value="fi"]')
    guest.settle()

    assert guest.page.url == f"{stage.origin}/fi/"
    assert guest.cookies() == {"localhost": ["lofte_locale"]}
    guest.go("/")
    assert guest.page.url == f"{stage.origin}/fi/"
