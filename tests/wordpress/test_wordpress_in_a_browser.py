"""A real WordPress with pages nobody marked up, visited with a browser: nothing before consent, the rest as chosen."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.long]
TAGS = """
<script src="https://www.google-analytics.com/analytics.js"></script>
<script>(function(){var s=document.createElement('script');s.src='https://connect.facebook.net/en_US/fbevents.js';document.head.appendChild(s)})()</script>
<script>localStorage.setItem('nobody-declared','1');document.cookie='nobody_declared=1;path=/'</script>
<img src="https://undeclared.example/pixel.gif" alt="">
<img alt="" srcset="https://undeclared.example/a.png 1x, https://undeclared.example/b.png 2x">
<link rel="stylesheet" href="https://fonts.undeclared.example/css">
<link rel="preconnect" href="https://fonts.undeclared.example">
<div style="background:url(https://undeclared.example/bg.png)">words</div>
<style>@import url("https://undeclared.example/sheet.css");</style>
<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>
<iframe width="560" height="315" title="A film" src="https://www.youtube.com/embed/aqz-KE-bpKQ"></iframe>
"""


@pytest.fixture(scope="module")
def page(wordpress):
    return wordpress.post("unmarked", TAGS)


def decide(visitor, decision):
    visitor.page.locator(f"#lofte-banner [name=decision][value={decision}]").click()
    visitor.page.locator("html[data-lofte-chosen]").wait_for()


def test_before_a_choice_nobody_is_asked_and_nothing_is_kept(visitor, page):
    for path in (page, "/"):
        visitor.go(path)
        assert visitor.strangers == []
        assert visitor.kept() == {"cookies": [], "local": {}, "session": {}}
    visitor.go(page)
    assert visitor.page.locator("#lofte-banner").is_visible()
    assert visitor.page.locator(".lofte-held").first.is_visible()
    assert visitor.page.locator("script").first.get_attribute("data-lofte") == "guard"


def test_after_a_no_nobody_is_asked(visitor, page):
    visitor.go(page)
    decide(visitor, "reject")
    visitor.go(page)
    assert visitor.strangers == []
    assert visitor.kept() == {"cookies": ["lofte", "lofte_on"], "local": {}, "session": {}}
    assert not visitor.page.locator("#lofte-banner").is_visible()


def test_after_a_yes_the_guard_releases_what_the_plugin_held_and_nothing_undeclared(visitor, page):
    visitor.go(page)
    decide(visitor, "accept")
    visitor.go(page)
    assert visitor.hosts() == {"www.google-analytics.com", "connect.facebook.net", "www.youtube.com"}
    assert visitor.kept()["local"] == {}


def test_the_page_is_the_same_bytes_for_everyone(wordpress, visitor, page):
    visitor.go(page)
    before = visitor.page.request.get(wordpress.origin + page).text()
    decide(visitor, "accept")
    assert visitor.page.request.get(wordpress.origin + page).text() == before


def test_staff_sign_in_and_the_self_check_holds(wordpress, visitor):
    visitor.go("/wp-login.php")
    visitor.page.fill("#user_login", "admin")
    visitor.page.fill("#user_pass", "correct-horse-battery")
    visitor.page.click("#wp-submit")
    visitor.page.wait_for_url("**/wp-admin/**")
    visitor.go("/wp-admin/options-general.php?page=lofte")
    checks = visitor.page.locator("#lofte-checks li")
    assert checks.count() == 6
    assert [text for text in checks.all_inner_texts() if "yes" not in text] == []
    assert wordpress.complaints() == ""


def test_without_an_answer_of_lofte_nothing_is_let_in_and_staff_are_told(wordpress, visitor, page):
    wordpress.settings(url="http://127.0.0.1:9")
    try:
        visitor.context.add_cookies([{"name": "lofte_on", "value": "0.statistics~marketing", "url": wordpress.origin}])
        visitor.go(page)
        assert visitor.strangers == []
        assert wordpress.php("wp_set_current_user(1); Lofte\\Settings::notice();").count("lofte-denied") == 1
    finally:
        wordpress.settings()


def comment(visitor, page, ticks):
    # Core takes no second comment within seconds.
    visitor.site.php("foreach (get_comments() as $c) wp_delete_comment($c->comment_ID, true);")
    visitor.go(page)
    form = visitor.page.locator("#commentform")
    form.locator("#comment").fill("Ett ord")
    form.locator("#author").fill("Astrid")
    form.locator("#email").fill("astrid@example.se")
    box = form.locator("#wp-comment-cookies-consent")
    offered = box.count()
    if ticks and offered:
        box.check()
    form.locator("[type=submit]").click()
    visitor.page.wait_for_load_state("load")
    assert "#comment-" in visitor.page.url
    return offered


def test_a_comment_keeps_no_cookie_where_the_policy_declares_none(wordpress, visitor):
    page = wordpress.post("talk", "Say something")
    assert comment(visitor, page, ticks=True) == 0
    assert visitor.kept()["cookies"] == []
    assert wordpress.value("get_comments(['author_email'=>'astrid@example.se','count'=>true])") == 1


def test_where_it_is_declared_a_comment_keeps_cookies_only_with_the_box_and_the_purpose(wordpress, visitor):
    page = wordpress.post("talk-more", "Say something")
    wordpress.php(
        "$kit = Lofte\\Kit::fetch(); $kit['cookies'][] = ['comment_author_*', 'statistics']; set_transient('lofte_kit', $kit, 600);"
    )
    try:
        assert comment(visitor, page, ticks=True) == 1
        assert visitor.kept()["cookies"] == []
        visitor.go(page)
        decide(visitor, "accept")
        wordpress.php(
            "foreach (get_comments() as $c) wp_delete_comment($c->comment_ID, true);"
        )  # nobody may say it twice
        comment(visitor, page, ticks=False)
        assert [name for name in visitor.kept()["cookies"] if name.startswith("comment")] == []
        comment(visitor, page, ticks=True)
        assert len([name for name in visitor.kept()["cookies"] if name.startswith("comment_author")]) >= 2
    finally:
        wordpress.settings()
