"""Break what a visitor's browser meets: tags, cookies, transfers. Exactly that promise turns red."""

import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from demo.site import site
from demo.wire import redirect

from lofte.core import clock
from lofte.core.country import Kind
from lofte.core.gates import tools
from lofte.core.gates.models import Tool
from lofte.features.register import verbs as register
from lofte.features.rights import verbs as rights
from lofte.features.sharing.models import Disclosure
from lofte.rules.control import Status
from lofte.rules.packs import shared

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("sabotage")]


def _beacon(system, host):
    """An image of a third party, one that keeps nothing, at the end of the page."""
    port = system.origin.rpartition(":")[2]
    return f'<img src="http://{host}.localhost:{port}/nothing.gif" alt="">'.encode()


def test_a_tag_let_through_before_consent_breaks_p34(system, broken_visit):
    beacon = _beacon(system, "chat")
    system.outside["/se/"] = lambda cookies, page: (page if "lofte" in cookies else page + beacon, [])

    assert broken_visit() == {"P34"}
    assert "chat.localhost (SE)" in system.reason("P34")


def test_a_cookie_set_before_consent_breaks_p34(system, broken_visit):
    early = [(b"set-cookie", b"_ga=1; Path=/; Max-Age=1000")]
    system.outside["/se/"] = lambda cookies, page: (page, [] if "lofte" in cookies else early)

    assert broken_visit() == {"P34"}
    assert "_ga (SE)" in system.reason("P34")


def test_a_tag_that_ignores_the_no_breaks_p34(system, broken_visit):
    beacon = _beacon(system, "chat")
    system.outside["/se/"] = lambda cookies, page: (page + beacon if _said_no(system, cookies) else page, [])

    assert "P34" in broken_visit()
    assert "had said no" in system.reason("P34")


def _said_no(system, cookies):
    return "lofte" in cookies and cookies["lofte"].split(".")[2] == ""


def test_a_cookie_nobody_declared_breaks_p33(system, broken_visit):
    mystery = [(b"set-cookie", b"mystery=1; Path=/; Max-Age=1000")]
    system.outside["/se/"] = lambda cookies, page: (page, mystery if "statistics" in cookies.get("lofte", "") else [])

    assert broken_visit() == {"P33"}
    assert "mystery (localhost) (SE)" in system.reason("P33")


def test_a_site_that_is_slow_to_answer_a_choice_is_waited_for(system, broken_visit):
    """On a busy machine the answer to a click takes seconds; a visitor who left before it would have chosen nothing."""
    mystery = [(b"set-cookie", b"mystery=1; Path=/; Max-Age=1000")]
    system.outside["/lofte/consent"] = lambda cookies, page: time.sleep(2) or (page, [])
    system.outside["/se/"] = lambda cookies, page: (page, mystery if "statistics" in cookies.get("lofte", "") else [])

    assert broken_visit() == {"P33"}


def test_a_cookie_that_outlives_its_declaration_breaks_p33(system, broken_visit):
    eternal = [(b"set-cookie", b"_fbp=1; Path=/; Max-Age=315360000")]
    system.outside["/se/"] = lambda cookies, page: (page, eternal if "marketing" in cookies.get("lofte", "") else [])

    assert broken_visit() == {"P33"}
    assert "kept longer" in system.reason("P33")


@pytest.mark.parametrize("host, promise", [("analytics", "P36"), ("ads", "P37")])
def test_a_counter_or_an_advertiser_that_goes_on_after_withdrawal_breaks_its_promise(
    system, broken_visit, host, promise
):
    beacon, allowed = _beacon(system, host), []

    def rewrite(cookies, page):
        if "statistics" in cookies.get("lofte", ""):
            allowed.append(True)
        return (page + beacon if allowed and _said_no(system, cookies) else page), []

    system.outside["/se/"] = rewrite

    assert broken_visit() == {promise}
    assert "the consent was withdrawn" in system.reason(promise)


def test_a_pixel_without_consent_breaks_p45_and_with_it_p34_and_p37(system, broken_visit):
    beacon = _beacon(system, "facebook")
    system.outside["/se/"] = lambda cookies, page: (page if "lofte" in cookies else page + beacon, [])

    assert broken_visit() == {"P34", "P37", "P45"}
    assert "www.facebook.com" in system.reason("P45")


def test_a_worker_that_goes_round_the_gate_breaks_p34(system, broken_visit):
    """What a worker asks for is asked by no page, and its own file's answer carries the policy it works under."""
    port = system.origin.rpartition(":")[2]
    work = f"fetch('http://chat.localhost:{port}/nothing.gif', {{mode: 'no-cors'}})"
    start = f'<script>new Worker(URL.createObjectURL(new Blob(["{work}"])))</script>'.encode()
    system.outside["/se/"] = lambda cookies, page: (page if "lofte" in cookies else page + start, [])

    assert broken_visit() == {"P34"}
    assert "chat.localhost (SE)" in system.reason("P34")


def test_a_tag_marked_necessary_breaks_p34_and_p36(system, broken_visit, republished):
    """Written past `check`, which refuses it: the gate believes what is published, the promise does not."""
    with republished(lambda policy: [policy["tags"][tag].update(purpose="necessary") for tag in ("ga4", "gtm")]):
        assert broken_visit() == {"P34", "P36"}

    assert "www.google-analytics.com (SE)" in system.reason("P36")


def test_a_cookie_left_after_withdrawal_breaks_p36(system, broken_visit):
    """One that only a server can take away, and that this one puts back."""
    left, allowed = [(b"set-cookie", b"_ga=1; Path=/; Max-Age=1000; HttpOnly")], []

    def rewrite(cookies, page):
        if "statistics" in cookies.get("lofte", ""):
            allowed.append(True)
        return page, left if allowed and _said_no(system, cookies) else []

    system.outside["/se/"] = rewrite

    assert broken_visit() == {"P36"}
    assert "_ga (SE)" in system.reason("P36")


def test_a_default_of_consent_mode_sent_late_breaks_p36(system, broken_visit):
    """A leftover snippet configures the tag in front of the gate's own first script."""
    snippet = b"<head><script>window.dataLayer = [['js', 1], ['config', 'G-DEMO']]</script>"
    system.outside["/se/"] = lambda cookies, page: (page.replace(b"<head>", snippet, 1), [])

    assert broken_visit() == {"P36"}
    assert "config (SE)" in system.reason("P36")


@pytest.mark.parametrize(
    "less", ["font-size:10px", "min-height:20px;height:20px", "background:#eee;color:#777", "display:none"]
)
def test_a_market_whose_button_to_reject_is_less_breaks_p34(system, broken_visit, less):
    style = f"<style>#lofte-banner #lofte-reject{{{less}}}</style>".encode()
    system.outside["/se/"] = lambda cookies, page: (page + style, [])

    assert broken_visit({"P34"}) == {"P34"}
    assert "not as easy" in system.reason("P34")


@pytest.mark.parametrize("value", ["visitor@example.org", "dmlzaXRvckBleGFtcGxlLm9yZw"])
def test_a_cookie_that_holds_who_somebody_is_breaks_p38(system, broken_visit, value):
    """Plain or in Base64: the name and the life are as declared, what is in it is not."""
    told = [(b"set-cookie", f"_ga={value}; Path=/; Max-Age=1000".encode())]
    system.outside["/se/"] = lambda cookies, page: (page, told if "statistics" in cookies.get("lofte", "") else [])

    assert broken_visit() == {"P38"}
    assert "_ga: email (SE)" in system.reason("P38")


def test_a_third_party_nobody_declared_breaks_p41_and_leaves_its_data_on_nobodys_file(system, broken_visit):
    beacon = _beacon(system, "chat")
    system.outside["/se/"] = lambda cookies, page: (
        page + beacon if "marketing" in cookies.get("lofte", "") else page,
        [],
    )

    assert broken_visit() == {"P25", "P41"}
    assert "chat.localhost" in system.reason("P41")


def _with_recipients(system, **changed):
    published = system.world().published
    policy = published.policy.model_copy(update={"recipients": {**published.policy.recipients, **changed}})
    return published.model_copy(update={"policy": policy})


def test_an_expired_transfer_tool_breaks_p25(system, broken_on_file):
    google = system.world().published.policy.recipients["google"]
    expired = [one.model_copy(update={"valid_to": "2026-01-01"}) for one in google.transfers]

    published = _with_recipients(system, google=google.model_copy(update={"transfers": expired}))

    assert broken_on_file(published=published) == {"P25"}
    assert "google (US, 2026-01-01)" in system.reason("P25")


def test_a_recipient_abroad_without_a_tool_breaks_p24_and_p25(system, broken_on_file):
    google = system.world().published.policy.recipients["google"]

    published = _with_recipients(system, google=google.model_copy(update={"country": "US", "transfers": []}))

    assert broken_on_file(published=published) == {"P24", "P25"}
    assert "google (US)" in system.reason("P24")
    assert "no transfer tool" in system.reason("P25")


def test_a_recipient_abroad_with_a_tool_breaks_p24_alone(system, broken_on_file):
    meta = system.world().published.policy.recipients["meta"]

    published = _with_recipients(system, meta=meta.model_copy(update={"country": "US"}))

    assert broken_on_file(published=published) == {"P24"}


@contextmanager
def _stopped(country, day):
    """Every decision on a country is no longer relied on from a day, whatever the Official Journal says."""
    decisions = sorted({row["decision"] for row in shared("transfers")["adequacy"] if row["country"] == country})
    rows = [tools.record(tools.Wanted(Kind.STOP, day, one), "staff:1") for one in decisions]
    try:
        yield
    finally:
        Tool.objects.filter(pk__in=rows).delete()


@contextmanager
def _handed_over(**said):
    """Somebody's data that left the house, written past the verbs."""
    person = register.welcome()
    row = {
        "reference": "ABCDE-FGHIJ", "name": "Somebody", "purpose": "answers", "fields": ["name"], "basis": "legitimate_interest",
        "ground": "agreement", "law": "GDPR 5(1)(b)", "told": "phone", "by": "staff:1", "evidence_index": 1,
        "state": Disclosure.State.HANDED_OVER, "handed_at": clock.now(),
    }  # fmt: skip
    Disclosure.objects.create(person_id=person, **(row | said))
    try:
        yield
    finally:
        Disclosure.objects.of(person)._raw_delete("default")
        rights.erase(person)


def test_a_transfer_after_adequacy_lapsed_breaks_p25(system, broken_on_file):
    """The United Kingdom's adequacy is gone since yesterday, and something went there today."""
    yesterday = clock.now().date() - timedelta(days=1)
    went = {"recipient": "partners-gb", "country": "GB", "market": "SE"}
    with _handed_over(**went):
        assert broken_on_file() == set()  # while the decision is in force it may go
    with _stopped("GB", yesterday), _handed_over(**went):
        assert broken_on_file() == {"P25"}

    assert "partners-gb (GB: 1)" in system.reason("P25")
    assert len({system.reason("P25", locale) for locale in ("sv", "nb", "fi", "en-GB")}) == 4


def test_a_listing_whose_proof_has_expired_breaks_p25(system, broken_on_file):
    rows = Tool.objects.filter(kind=Kind.LISTING.value, recipient="google")
    before = list(rows.values_list("pk", "since", "until"))
    rows.update(since=clock.now().date() - timedelta(days=300), until=clock.now().date() - timedelta(days=1))
    try:
        assert broken_on_file() == {"P25"}
    finally:
        for pk, since, until in before:
            Tool.objects.filter(pk=pk).update(since=since, until=until)

    assert "google (US)" in system.reason("P25")
    assert "expired" in system.reason("P25")


def test_a_listing_without_any_proof_on_file_proves_nothing(system, healthy_visit):
    rows = list(Tool.objects.filter(kind=Kind.LISTING.value, recipient="google"))
    Tool.objects.filter(pk__in=[row.pk for row in rows]).delete()
    try:
        assert system.board({"P25"}, _shared=dict(system.seen_at_first))["P25"] is Status.UNPROVED
    finally:
        Tool.objects.bulk_create(rows)

    assert "no dated proof is on file: google (US)" in system.reason("P25")


def test_data_handed_over_outside_the_eea_breaks_p24_and_p25(system, broken_on_file):
    with _handed_over(recipient="partners-us", country="US", market="SE"):
        assert broken_on_file() == {"P24", "P25"}

    assert "partners-us (US, SE: 1)" in system.reason("P24")


def test_a_site_that_forgets_the_language_breaks_p35(system, broken_visit):
    async def forgetful(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/region" and scope["method"] == "POST":
            await redirect(send, "/se/")
        else:
            await site(scope, receive, send)

    system.inside = forgetful

    assert broken_visit(also={"P35", "P39"}) == {"P35"}
    assert "forgotten" in system.reason("P35")


def test_a_site_that_needs_a_cookie_to_open_breaks_p39(system, broken_visit):
    async def stubborn(scope, receive, send):
        cookies = dict(scope["headers"]).get(b"cookie", b"") if scope["type"] == "http" else b""
        if scope["type"] == "http" and scope["path"] == "/se/" and b"lofte_locale" not in cookies:
            keep = [("set-cookie", "lofte_locale=se; Path=/; Max-Age=1000")]
            if scope["query_string"]:
                await redirect(send, "/nothing-here/", keep)
            else:
                await redirect(send, "/se/?again=1", keep)
        else:
            await site(scope, receive, send)

    system.inside = stubborn

    assert broken_visit({"P35", "P39"}) == {"P39"}
    assert "/se/" in system.reason("P39")


def _eager(system, send):
    """A page with a form and a script of the site's own that tells the analytics what is typed into it."""
    collect = f"http://analytics.localhost:{system.origin.rpartition(':')[2]}/g/collect"
    form = (
        '<form action="/se/nowhere"><input type="search" name="q" aria-label="q"><input type="email" name="s"></form>'
    )
    listen = f"addEventListener('change', async (event) => {{ const said = event.target.value; {send} }});"
    tell = f"const tell = (said) => fetch({collect!r} + '?em=' + said, {{mode: 'no-cors'}});"
    return f"{form}<script>{tell} {listen}</script>".encode()


_HASH = """
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(said.trim().toLowerCase()));
  tell([...new Uint8Array(sum)].map((one) => one.toString(16).padStart(2, '0')).join(''));
"""


@pytest.mark.parametrize("send, said", [("tell(encodeURIComponent(said));", "email"), (_HASH, "email (hash)")])
def test_an_identifier_sent_to_a_tag_breaks_p03(system, broken_visit, send, said):
    system.outside["/se/"] = lambda cookies, page: (page + _eager(system, send), [])

    assert broken_visit({"P03"}) == {"P03"}
    assert f"www.google-analytics.com: {said}" in system.reason("P03")


def test_a_visitor_who_types_who_they_are_is_told_to_no_tag(system, healthy_visit):
    assert system.board({"P03"}) == {"P03": Status.KEPT}
    assert "www.google-analytics.com" in system.reason("P03")


@pytest.mark.parametrize("send, said", [("tell(encodeURIComponent(said));", "email"), (_HASH, "email (hash)")])
def test_a_pixel_that_matches_visitors_by_what_they_type_breaks_p47(system, broken_visit, send, said):
    """As a pixel does whose owner switched on matching in the platform's own settings."""
    matching = (
        _eager(system, send).replace(b"analytics.localhost", b"facebook.localhost").replace(b"/g/collect", b"/tr")
    )
    system.outside["/se/"] = lambda cookies, page: (page + matching, [])

    assert broken_visit({"P03", "P47"}) == {"P47"}
    assert f"www.facebook.com: {said}" in system.reason("P47")


def test_a_platform_whose_policy_is_not_linked_breaks_p47(system, broken_visit):
    link = b'href="https://www.linkedin.com/legal/privacy-policy"'
    system.outside["/lofte/preferences/fi/fi/"] = lambda cookies, page: (page.replace(link, b""), [])

    assert broken_visit({"P03", "P40", "P47"}) == {"P47"}
    assert "/lofte/preferences/fi/fi/: https://www.linkedin.com" in system.reason("P47")


def test_whoever_opted_out_at_google_is_not_measured(system, healthy_visit):
    board = system.board({"P40"})

    opt_out = next(one for one in system.line("P40").controls if one.id == "analytics_optout")
    assert opt_out.verdict.status is Status.KEPT, opt_out.reason("en-GB")
    assert "www.google-analytics.com" in opt_out.reason("en-GB")
    # The figures themselves come from a connected property; nobody calls the promise kept before that.
    assert board == {"P40": Status.UNPROVED}
    assert "connection to Google Analytics" in system.reason("P40")


def test_a_counter_that_ignores_the_opt_out_breaks_p40(system, broken_visit):
    """A hit written into the page by hand: no script that could ask whether somebody opted out."""
    hit = f"http://analytics.localhost:{system.origin.rpartition(':')[2]}/g/collect?v=2&en=page_view"
    beacon = f'<img src="{hit}" alt="">'.encode()
    system.outside["/se/"] = lambda cookies, page: (
        page + beacon if "statistics" in cookies.get("lofte", "") else page,
        [],
    )

    assert broken_visit({"P36", "P40"}) == {"P40"}
    assert "www.google-analytics.com" in system.reason("P40")


def test_settings_without_the_way_to_opt_out_break_p40(system, broken_visit):
    link = b'href="http://tools.google.com/dlpage/gaoptout"'
    system.outside["/lofte/preferences/us/en-US/"] = lambda cookies, page: (page.replace(link, b""), [])

    assert broken_visit({"P40", "P47"}) == {"P40"}
    assert "/lofte/preferences/us/en-US/" in system.reason("P40")
