import gzip
import json
import os
import re

import pytest

from lofte.edge.pages import own_back
from lofte.edge.requests import preferred_locale

EDITIONS = [("SE", "sv"), ("NO", "nb"), ("FI", "fi"), ("GB", "en-GB"), ("US", "en-US")]
KEPT = {"status": "kept", "proved_at": "2026-11-22T11:30:00Z", "reason": {}, "evidence": 7, "control": "x"}


def write_verdicts(world, **verdicts):
    path = world.home / "published" / "verdicts.json"
    half = path.with_suffix(".half")
    half.write_text(json.dumps(verdicts))
    half.replace(path)
    os.utime(path, ns=(0, hash(json.dumps(verdicts)) % 10**15))
    world.edge._pages._verdicts._looked_s = float("-inf")


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
@pytest.mark.parametrize("page", ["policy", "cookies", "changes", "preferences"])
def test_every_page_is_there_in_every_edition(world, market, locale, page):
    answer = world.get(f"/lofte/{page}/{market.lower()}/{locale}/")

    assert answer.status == 200
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert f'lang="{locale}"' in answer.text
    assert "<!--lofte:" not in answer.text


def test_a_page_is_known_by_its_bytes(world):
    first = world.get("/lofte/policy/se/sv/")
    again = world.get("/lofte/policy/se/sv/", {"if-none-match": f'"other", W/{first.header("etag")}'})

    assert again.status == 304
    assert again.body == b""
    assert again.header("etag") == first.header("etag")


def test_a_page_comes_compressed_to_who_can_read_it(world):
    plain = world.get("/lofte/policy/se/sv/")
    packed = world.get("/lofte/policy/se/sv/", {"accept-encoding": "br, gzip;q=0.8"})
    refused = world.get("/lofte/policy/se/sv/", {"accept-encoding": "gzip;q=0"})

    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body == refused.body
    assert packed.header("vary") == "accept-encoding"


def test_head_is_get_without_its_body(world):
    get, head = world.get("/lofte/policy/se/sv/"), world.ask("HEAD", "/lofte/policy/se/sv/")

    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers


def test_an_address_without_its_slash_leads_to_the_page(world):
    answer = world.get("/lofte/policy/se/sv")

    assert (answer.status, answer.header("location")) == (308, "/lofte/policy/se/sv/")


MISSING = (
    "/lofte/", "/lofte/policy/", "/lofte/policy/dk/da/", "/lofte/policy/se/fi/", "/lofte/nothing/se/sv/",
    "/lofte/static/../app.py", "/lofte/policy/se/sv/versions/0000000000000000/", "/lofte/static/none.css",
)  # fmt: skip


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_said_so_to_programs_and_to_people(world, path):
    problem = world.get(path)
    page = world.get(path, {"accept": "text/html", "accept-language": "fi-FI,fi;q=0.9"})

    assert (problem.status, problem.header("content-type")) == (404, "application/problem+json")
    assert page.status == 404
    assert '<html lang="fi">' in page.text


def test_pages_are_only_read(world):
    answer = world.ask("POST", "/lofte/policy/se/sv/")

    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, OPTIONS")
    assert world.ask("OPTIONS", "/lofte/policy/se/sv/").status == 204


def test_the_frozen_page_may_only_load_what_is_its_own(world):
    policy = world.get("/lofte/policy/se/sv/").header("content-security-policy")

    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "require-trusted-types-for 'script'" in policy


# Verdicts


def test_a_verdict_stands_beside_its_promise_with_time_and_evidence(world):
    write_verdicts(world, P15=KEPT)
    text = world.get("/lofte/policy/se/sv/").text
    badge = re.search(r'<span class="lofte-verdict" data-status="kept" data-promise="P15">.*?</span>', text)

    assert badge
    assert "Hålls" in badge[0]
    assert "22 november 2026 kl. 11.30 UTC" in badge[0]
    assert '<a href="/lofte/evidence/7?locale=sv"' in badge[0]


def test_a_promise_nobody_has_judged_is_unproved_never_kept(world):
    text = world.get("/lofte/policy/se/sv/").text

    assert 'data-status="unproved" data-promise="P15"' in text
    assert 'data-status="kept"' not in text


def test_a_broken_promise_says_why_in_the_readers_language(world):
    reason = {"fi": "Viisi & kuusi <osoitetta>", "sv": "Fem adresser"}
    write_verdicts(world, P15=KEPT | {"status": "broken", "reason": reason})
    text = world.get("/lofte/policy/fi/fi/").text

    assert "Viisi &amp; kuusi &lt;osoitetta&gt;" in text
    assert "Fem adresser" not in text


def test_a_new_verdict_is_a_new_page(world):
    before = world.get("/lofte/policy/se/sv/").header("etag")
    write_verdicts(world, P15=KEPT)

    assert world.get("/lofte/policy/se/sv/").header("etag") != before


def test_a_damaged_verdict_file_leaves_everything_unproved(world):
    write_verdicts(world, P15=KEPT)
    (world.home / "published" / "verdicts.json").write_text("{")
    world.edge._pages._verdicts._looked_s = float("-inf")

    assert 'data-status="kept"' not in world.get("/lofte/policy/se/sv/").text


# Versions


def test_earlier_versions_stay_readable_as_they_were(world, publish_again):
    old = world.digest
    text = world.get("/lofte/policy/se/sv/").text
    publish_again("2023-02")
    listed = world.get("/lofte/policy/se/sv/versions/")
    earlier = world.get(f"/lofte/policy/se/sv/versions/{old}/")

    assert [word in listed.text for word in ("2023-01", "2023-02", old, world.digest)] == [True] * 4
    assert earlier.status == 200
    assert "Den gäller inte längre" in earlier.text
    assert 'data-status="' not in earlier.text
    assert re.search(r"<h1.*?</h1>", text)[0] in earlier.text
    assert earlier.header("cache-control") == "public, max-age=31536000, immutable"


def test_bytes_altered_after_publication_are_not_served(world):
    publication = world.edge.shelf.current()
    (world.home / "published" / "objects" / publication.object_of("SE/sv/policy.html")).write_text("changed")
    answer = world.get("/lofte/policy/se/sv/")

    assert (answer.status, answer.json["title"]) == (500, "publication.altered")


def test_the_policy_is_there_for_machines(world):
    answer = world.get("/lofte/policy.json")

    assert answer.json["digest"] == world.digest
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("content-type") == "application/json"


def test_global_privacy_control_is_declared(world):
    assert world.get("/.well-known/gpc.json").json == {"gpc": True, "lastUpdate": "2026-11-21T12:00:00Z"}


# The banner and the preferences


def inputs(html):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_what_the_preferences_page_sends_is_accepted(world, market, locale):
    page = world.get(f"/lofte/preferences/{market.lower()}/{locale}/?back=/x%3Fa%3D1")
    fields = inputs(page.text)
    answer = world.submit(fields | {"decision": "save", "choice.statistics": "on"})

    assert (answer.status, answer.header("location")) == (303, "/x?a=1")
    assert world.facts()[0]["method"] == "preferences"
    assert page.header("cache-control") == "no-store"


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_what_the_banner_sends_is_accepted(world, market, locale):
    html = world.edge.banner(market, locale, "/se/?q=1&b=2", "abc").decode()
    if not html:
        pytest.skip("this market is asked nothing")
    fields = inputs(html)
    fields["back"] = fields["back"].replace("&amp;", "&")
    answer = world.submit(fields | {"decision": "accept"})

    assert (answer.status, answer.header("location")) == (303, "/se/?q=1&b=2")
    assert world.facts()[0]["method"] == "banner"


def test_the_banner_is_fetched_with_a_token_of_its_own(world):
    first, second = (world.get("/lofte/banner?market=se&locale=sv&back=/se/") for _ in range(2))

    assert inputs(first.text)["token"] != inputs(second.text)["token"]
    assert first.header("cache-control") == "no-store"
    assert world.get("/lofte/banner?market=dk&locale=da").status == 404


def test_the_preferences_show_what_is_chosen(world):
    cookie = world.decide(world.wish(choices={"statistics": True})).cookies()[0].partition(";")[0]
    text = world.get("/lofte/preferences/se/sv/", {"cookie": cookie}).text

    assert re.search(r'name="choice\.statistics"[^>]* checked', text)
    assert not re.search(r'name="choice\.marketing"[^>]* checked', text)


def test_the_preferences_show_the_history_with_its_receipts(world):
    first = world.decide(world.wish(choices={"statistics": True}))
    cookie = first.cookies()[0].partition(";")[0]
    world.later(minutes=5)
    second = world.decide(world.wish(action="withdraw"), headers={"cookie": cookie})
    stranger = world.decide(world.wish())
    latest = second.cookies()[0].partition(";")[0]
    text = world.get("/lofte/preferences/se/sv/", {"cookie": latest}).text
    listed = re.findall(r'<a href="(/lofte/receipt/(\d+)\.html\?code=[^"]+)">', text)

    assert [int(index) for _, index in listed] == [1, 0]
    assert stranger.json["page"] not in text
    assert "du återkallade ditt samtycke" in text
    assert world.get(listed[0][0]).status == 200


def test_without_a_choice_there_is_no_history(world):
    assert "lofte-history" not in world.get("/lofte/preferences/se/sv/").text


BACK = (
    ("/se/om", "/se/om"), ("/se/?a=1&b=2", "/se/?a=1&b=2"), ("/å", "/%C3%A5"), ("//evil.example", "/se"), ("", "/se"),
    ("https://e.example", "/se"), ("/\\evil", "/%5Cevil"), ("/lofte/consent", "/se"), ('/"><script>', "/%22%3E%3Cscript%3E"),
)  # fmt: skip


@pytest.mark.parametrize(("wanted", "kept"), BACK)
def test_the_way_back_is_always_on_this_site(wanted, kept):
    assert own_back(wanted, "/se") == kept


def test_a_way_back_cannot_break_out_of_the_page(world):
    text = world.get("/lofte/preferences/se/sv/?back=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text

    assert "<script>alert" not in text


# Static files and languages


def test_static_files_are_served_by_bare_name(world):
    answer = world.get("/lofte/static/edge.css")

    assert (answer.status, answer.header("content-type")) == (200, "text/css; charset=utf-8")
    assert answer.header("etag")


@pytest.mark.parametrize(
    ("header", "locale"),
    [(b"", "sv"), (b"fi", "fi"), (b"no", "nb"), (b"nn-NO, en;q=0.5", "nb"), (b"en", "en-GB"), (b"en-US,en;q=0.9", "en-US"),
     (b"de, en-AU;q=0.8, sv;q=0.9", "sv"), (b"xx;q=abc, fi;q=0.1", "fi"), (b"\xff\xfe", "sv")],
)  # fmt: skip
def test_the_readers_language_is_found(header, locale):
    assert preferred_locale(header, ["sv", "nb", "fi", "en-GB", "en-US"]) == locale
