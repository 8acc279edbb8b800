import gzip
import re
import zlib

import pytest

from lofte.gate.csp import fingerprint

PAGE = (
    b"<!doctype html><html lang=sv><head><meta charset=utf-8><title>x</title></head>"
    b"<body class=a><p>hej</p></body></html>"
)
HTML = (b"content-type", b"text/html; charset=utf-8")


def test_the_banner_is_first_in_the_body_and_the_guard_first_in_the_head(visit):
    body = visit(PAGE).body

    assert b'<body class=a><section id="lofte-banner"' in body
    assert re.search(rb'<head><script data-lofte="guard">', body)


@pytest.mark.parametrize(
    ("page", "before_banner"),
    [
        (b"<p>hej</p>", b"</script>"),
        (b"<!doctype html><title>x</title><p>hej</p>", b"<title>x</title>"),
        (b"<!doctype html><html><head><title>x</title></head><p>hej</p>", b"</title></head>"),
        (b"\xef\xbb\xbf<!doctype html><!-- <body> --><title><body></title>text", b"</title>"),
    ],
)
def test_a_page_without_a_body_tag_gets_the_banner_where_the_body_would_open(visit, page, before_banner):
    body = visit(page).body

    assert before_banner + b'<section id="lofte-banner"' in body
    assert body.rstrip().endswith(b"</nav>")


def test_a_comment_or_a_script_that_ends_the_body_does_not_move_the_settings_link(visit):
    page = b"<body><script type=x>'</body>'</script><!-- </body> --><p>x</p></body></html>"

    assert b'<p>x</p><nav id="lofte-settings" ' in visit(page).body


def test_a_page_with_its_own_settings_link_gets_no_second(visit):
    body = visit(b'<body><a id="lofte-settings" href="/lofte/preferences/se/sv/">x</a></body>').body

    assert body.count(b'id="lofte-settings"') == 1


def test_the_page_is_the_same_for_everybody(visit, cookie_for):
    page = b'<body><img src="//count.test/a"><script src="//ads.test/b"></script><script>own()</script></body>'
    everybody = [{}, {"cookie": cookie_for()}, {"cookie": cookie_for("statistics", "marketing")}, {"sec-gpc": b"1"}]

    assert len({visit(page, headers=headers).body for headers in everybody}) == 1
    assert len({visit(page, headers=headers).headers["content-security-policy"] for headers in everybody}) == 2


def test_the_way_back_is_in_every_page(visit):
    assert b'<a href="/lofte/preferences/se/sv/?back=/se/">Cookies</a>' in visit(PAGE).body


def test_the_guard_is_told_of_the_choice_once(visit, cookie_for):
    chosen = cookie_for("statistics")
    told = visit(PAGE, headers={"cookie": chosen.partition(b";")[0]}).set_cookies
    known = visit(PAGE, headers={"cookie": chosen})

    assert told == ["lofte_on=dddddddddddddddd.statistics; Max-Age=15552000; Path=/; SameSite=Lax"]
    assert known.set_cookies == []
    assert visit(PAGE).set_cookies == []


def test_a_forged_choice_is_no_choice(visit, cookie_for):
    forged = cookie_for().replace(b"..", b".statistics.")

    answer = visit(PAGE, headers={"cookie": forged})

    assert "count.test" not in answer.headers["content-security-policy"]
    assert answer.set_cookies == []


def test_a_choice_only_the_page_can_read_opens_nothing_in_the_header(visit):
    answer = visit(PAGE, headers={"cookie": b"lofte_on=dddddddddddddddd.statistics"})

    assert "count.test" not in answer.headers["content-security-policy"]


def test_a_change_of_policy_asks_anew_only_for_what_it_touched(visit, cookie_for):
    page = b'<body><img src="//count.test/a"><img src="//ads.test/b"></body>'

    answer = visit(
        page,
        headers={"cookie": cookie_for("statistics", "marketing")},
        asked_anew=lambda choice, published: frozenset({"marketing"}),
    )

    assert answer.held == {("image", "ads.test")}
    assert answer.set_cookies[0].startswith("lofte_on=dddddddddddddddd.statistics.1; ")


def test_a_soft_gate_names_what_is_declared_and_nothing_else(visit, cookie_for):
    policies = {
        visit(PAGE, headers=headers, mode="soft").headers["content-security-policy"]
        for headers in ({}, {"cookie": cookie_for()}, {"cookie": cookie_for("statistics")})
    }

    assert len(policies) == 1
    assert "*.count.test ads.test count.test" in next(iter(policies))
    assert "trusted-types" not in next(iter(policies))


def test_the_header_names_the_inline_scripts_that_may_run_by_their_hashes(visit, cookie_for):
    page = b"<body><script>own()</script><script>load('https://count.test/a.js')</script></body>"
    own, theirs = (fingerprint(text) for text in (b"own()", b"load('https://count.test/a.js')"))

    before = visit(page).headers["content-security-policy"]
    after = visit(page, headers={"cookie": cookie_for("statistics")}).headers["content-security-policy"]

    assert own in before
    assert theirs not in before
    assert theirs in after


def test_a_worker_is_bound_by_the_policy_of_its_own_answer(visit):
    script = [(b"content-type", b"text/javascript")]

    worker = visit(b"1", answer=script, headers={"sec-fetch-dest": b"worker"})
    plain = visit(b"1", answer=script, headers={"sec-fetch-dest": b"script"})

    assert "connect-src 'self';" in worker.headers["content-security-policy"]
    assert "content-security-policy" not in plain.headers


def test_the_policy_header_names_only_what_the_choice_allows(visit, cookie_for):
    before = visit(PAGE).headers["content-security-policy"]
    after = visit(PAGE, headers={"cookie": cookie_for("statistics")}).headers["content-security-policy"]

    assert "count.test" not in before
    assert "require-trusted-types-for 'script'" in before
    assert "img-src 'self' data: blob: *.count.test count.test;" in after
    assert "ads.test" not in after
    assert "require-trusted-types-for" not in after
    assert re.search(r"script-src 'self'(?: 'sha256-[\w+/=]{44}')+ \*\.count\.test count\.test;", after)
    assert before.endswith("report-uri /lofte/csp-report")


def test_a_site_may_mark_its_own_scripts_with_the_nonce_of_the_answer(gate_around):
    page = b'<body><script nonce="%s">localStorage.mine = 1</script></body>'

    answers = [gate_around(lambda scope: page % scope["lofte.nonce"].encode()) for _ in range(2)]

    nonces = [re.search(r"'nonce-([\w-]+)'", one.headers["content-security-policy"]).group(1) for one in answers]
    assert nonces[0] != nonces[1]
    assert all(f'<script nonce="{nonce}">'.encode() in one.body for nonce, one in zip(nonces, answers, strict=True))


def test_an_answer_that_uses_no_nonce_names_none(visit):
    assert "'nonce-" not in visit(PAGE).headers["content-security-policy"]


def test_a_soft_page_may_be_kept_by_a_cache_that_serves_everybody(visit, cookie_for):
    site = [HTML, (b"cache-control", b"public, max-age=600")]

    answers = [
        visit(PAGE, answer=site, headers=headers, mode="soft")
        for headers in ({}, {"cookie": cookie_for()}, {"cookie": cookie_for("statistics", "marketing")})
    ]

    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=600"}
    assert len({(answer.body, tuple(sorted(answer.headers.items()))) for answer in answers}) == 1


def test_a_soft_page_that_changes_a_cookie_is_the_visitors_own(visit):
    site = [HTML, (b"cache-control", b"public, max-age=600"), (b"set-cookie", b"session=1")]

    assert visit(PAGE, answer=site, mode="soft").headers["cache-control"] == "private, no-cache"


def test_a_stand_in_host_is_held_and_allowed_as_the_host_it_stands_for(visit, cookie_for):
    page = b'<body><script src="http://count.localhost:8000/a.js"></script></body>'
    options = {"host_map": {"count.localhost": "count.test"}}

    held = visit(page, **options)
    free = visit(page, headers={"cookie": cookie_for("statistics")}, **options)

    assert {(report.declared, report.purpose) for report in held.reports} == {(True, "statistics")}
    assert not free.reports
    assert "count.localhost:*" in free.headers["content-security-policy"]


def test_no_cache_may_give_the_page_to_somebody_else(visit):
    answer = visit(
        PAGE, answer=[HTML, (b"cache-control", b"public, max-age=600"), (b"etag", b'"1"'), (b"vary", b"Accept")]
    )

    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Accept, Cookie, Sec-GPC"
    assert "etag" not in answer.headers


def test_no_store_stays_no_store(visit):
    assert visit(PAGE, answer=[HTML, (b"cache-control", b"no-store")]).headers["cache-control"] == "no-store"


def test_the_site_is_asked_for_a_whole_page_it_cannot_answer_with_not_modified(visit):
    seen = dict(
        visit(
            PAGE,
            headers={
                "if-none-match": b'"1"',
                "accept-encoding": b"br, zstd",
                "range": b"bytes=0-9",
                "accept": b"text/html",
            },
        ).scope["headers"]
    )

    assert seen[b"accept-encoding"] == b"gzip"
    assert not {b"if-none-match", b"range"} & seen.keys()


def test_requests_for_other_things_keep_their_conditions(visit):
    headers = {"if-none-match": b'"1"', "accept-encoding": b"br", "sec-fetch-dest": b"image"}

    assert dict(visit(PAGE, headers=headers).scope["headers"]).items() >= {
        (b"if-none-match", b'"1"'),
        (b"accept-encoding", b"br"),
    }


def test_security_headers_are_added_only_where_the_site_sent_none(visit):
    plain = visit(PAGE).headers
    own = visit(PAGE, answer=[HTML, (b"referrer-policy", b"no-referrer"), (b"x-frame-options", b"DENY")]).headers

    assert plain["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in plain["content-security-policy"]
    assert own["referrer-policy"] == "no-referrer"
    assert "frame-ancestors" not in own["content-security-policy"]


def test_the_sites_own_policy_stays_and_admits_the_banner(visit):
    answer = visit(PAGE, answer=[HTML, (b"content-security-policy", b"script-src 'self'; style-src 'none'")])
    policies = [value.decode() for name, value in answer.messages[0]["headers"] if name == b"content-security-policy"]

    assert len(policies) == 2
    assert re.fullmatch(r"script-src 'self'( 'sha256-\S+'){2}; style-src  'sha256-\S+'", policies[0])


def test_headers_that_make_browsers_call_elsewhere_are_held(visit):
    answer = visit(
        PAGE,
        answer=[
            HTML,
            (b"link", b'<https://count.test/a.js>; rel=preload; as=script, </own.css>; rel="preload"'),
            (b"link", b"<https://count.test>; rel=preconnect"),
            (b"link", b"<https://count.test/no/>; rel=alternate; hreflang=nb"),
            (b"reporting-endpoints", b'default="https://chat.test/r"'),
            (b"refresh", b"0; url=https://chat.test/"),
        ],
    )
    links = [value for name, value in answer.messages[0]["headers"] if name == b"link"]

    assert links == [b'</own.css>; rel="preload"', b"<https://count.test/no/>; rel=alternate; hreflang=nb"]
    assert answer.held == {("header", "count.test"), ("header", "chat.test"), ("refresh", "chat.test")}
    assert not {"reporting-endpoints", "refresh"} & answer.headers.keys()


@pytest.mark.parametrize("scheme", ["https:", "HTTPS:", ""])
def test_rules_for_fetching_ahead_from_elsewhere_are_held(visit, scheme):
    elsewhere = visit(PAGE, answer=[HTML, (b"speculation-rules", f'"{scheme}//chat.test/rules.json"'.encode())])
    own = visit(PAGE, answer=[HTML, (b"speculation-rules", b'"/rules.json"')])

    assert "speculation-rules" not in elsewhere.headers
    assert ("header", "chat.test") in elsewhere.held
    assert own.headers["speculation-rules"] == '"/rules.json"'


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ("script-src 'self'; report-uri https://chat.test/r", "script-src 'self';"),
        ("report-uri //chat.test/r /own; img-src *", " report-uri /own; img-src *"),
        ("img-src *;  REPORT-URI https://chat.test/a, base-uri 'none'", "img-src *;, base-uri 'none'"),
        ("report-uri /own", " report-uri /own"),
    ],
)
def test_a_policy_of_the_sites_own_reports_to_nobody_else(visit, sent, left):
    answer = visit(b"{}", answer=[(b"content-type", b"application/json"), (b"content-security-policy", sent.encode())])

    assert answer.headers["content-security-policy"] == left


def test_in_soft_mode_headers_a_cache_may_keep_are_the_same_whatever_was_chosen(visit, cookie_for):
    link = (b"link", b"<https://count.test/a.js>; rel=preload; as=script")

    strict = visit(PAGE, answer=[HTML, link], headers={"cookie": cookie_for("statistics")})
    soft = visit(PAGE, answer=[HTML, link], headers={"cookie": cookie_for("statistics")}, mode="soft")

    assert "link" in strict.headers
    assert "link" not in soft.headers


@pytest.mark.parametrize(
    ("target", "granted", "status"),
    [
        (b"image", (), 403),
        (b"iframe", (), 403),
        (b"empty", (), 403),
        (b"image", ("statistics",), 302),
        (b"document", (), 302),
        (None, (), 302),
    ],
)
def test_a_part_of_a_page_is_not_sent_on_to_a_host_that_is_not_allowed(visit, cookie_for, target, granted, status):
    headers = {"cookie": cookie_for(*granted)} | ({"sec-fetch-dest": target} if target else {})

    answer = visit(b"", status=302, answer=[(b"location", b"https://count.test/p")], headers=headers)

    assert answer.status == status
    assert ("location" in answer.headers) is (status == 302)
    assert answer.held == ({("redirect", "count.test")} if status == 403 else set())


def test_a_cache_is_told_what_a_page_in_soft_mode_follows(visit):
    answer = visit(PAGE, answer=[HTML, (b"vary", b"Accept-Language")], mode="soft")

    assert answer.headers["vary"] == "Accept-Language, Sec-GPC, Sec-Fetch-Dest, HX-Request, X-Requested-With"


def test_browsers_are_told_not_to_look_up_the_hosts_of_links_ahead_of_a_press(visit):
    answer = visit(PAGE, answer=[HTML, (b"x-dns-prefetch-control", b"on")])

    assert answer.headers["x-dns-prefetch-control"] == "off"


@pytest.mark.parametrize("packed", [b"zstd", b"gzip"])
def test_a_page_that_cannot_be_read_may_reach_nobody_whatever_was_chosen(visit, cookie_for, packed):
    answer = visit(
        b"plain",
        answer=[HTML, (b"content-encoding", packed)],
        headers={"cookie": cookie_for("statistics")},
        mode="soft",
    )

    assert answer.body == b"plain"
    assert "count.test" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01-Mar-2002 10:00:00 GMT"])
def test_deleting_a_cookie_by_a_date_long_past_is_always_allowed(visit, date):
    gone = f"surprise=; Expires={date}"
    stays = "surprise=1; Expires=Thu, 19 Nov 2037 20:15:19 GMT"

    answer = visit(PAGE, answer=[HTML, (b"set-cookie", gone.encode()), (b"set-cookie", stays.encode())])

    assert answer.set_cookies == [gone]


def test_early_hints_are_held_too(published):
    import asyncio

    from lofte.gate import Gate

    async def site(scope, receive, send):
        links = [b"<https://count.test/a.js>; rel=preload", b"</own.css>; rel=preload"]
        await send({"type": "http.response.early_hint", "links": links})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/se/", "headers": []}
    asyncio.run(Gate(site, lambda: published, b"k" * 32, lambda *_: b"")(scope, None, send))

    assert [message["links"] for message in sent] == [[b"</own.css>; rel=preload"]]


def test_the_site_may_set_only_what_is_declared_and_allowed(visit, cookie_for):
    cookies = [
        HTML,
        (b"set-cookie", b"session=1; HttpOnly"),
        (b"set-cookie", b"_count_1=1; Path=/"),
        (b"set-cookie", b"surprise=1"),
        (b"set-cookie", b"surprise=; Max-Age=0"),
    ]

    before = visit(PAGE, answer=cookies)
    after = visit(PAGE, answer=cookies, headers={"cookie": cookie_for("statistics")})

    assert before.set_cookies == ["session=1; HttpOnly", "surprise=; Max-Age=0"]
    assert {(report.what, report.declared) for report in before.reports} == {("_count_1", True), ("surprise", False)}
    assert after.set_cookies == ["session=1; HttpOnly", "_count_1=1; Path=/", "surprise=; Max-Age=0"]


def test_cookies_are_held_on_answers_that_are_no_pages(visit):
    answer = visit(b"{}", answer=[(b"content-type", b"application/json"), (b"set-cookie", b"_ads=1")])

    assert answer.set_cookies == []
    assert answer.body == b"{}"


def test_cookies_of_purposes_no_longer_allowed_are_expired_on_every_path_and_domain(visit, cookie_for):
    sent = cookie_for("statistics") + b"; _ads=1; _count=2; session=3; other=4"

    answer = visit(PAGE, path="/se/shop/x", headers={"cookie": sent})

    assert {line.split("=")[0] for line in answer.set_cookies} == {"_ads"}
    assert "_ads=; Max-Age=0; Path=/" in answer.set_cookies
    assert "_ads=; Max-Age=0; Path=/se/shop; Domain=small.se" in answer.set_cookies


def test_gpc_is_an_objection_until_somebody_chooses_otherwise(visit, cookie_for):
    page = b'<body><img src="//ads.test/p"></body>'
    signal = {"sec-gpc": b"1"}

    assert visit(page, path="/us/").held == set()
    assert visit(page, path="/us/", headers=signal).held == {("image", "ads.test")}
    assert visit(page, path="/us/", headers=signal | {"cookie": cookie_for("marketing")}).held == set()
    assert visit(page, path="/us/", headers={"sec-gpc": b"0"}).held == set()
    assert visit(page, path="/se/").held == {("image", "ads.test")}


@pytest.mark.parametrize("packed", [gzip.compress(PAGE), zlib.compress(PAGE)])
def test_a_packed_page_is_unpacked_and_held(visit, packed):
    name = b"gzip" if packed[:2] == b"\x1f\x8b" else b"deflate"

    answer = visit(packed, answer=[HTML, (b"content-encoding", name), (b"content-length", b"1")])

    assert b"lofte-banner" in answer.body
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.body))


def test_an_encoding_nobody_asked_for_passes_behind_the_policy_and_is_reported(visit):
    answer = visit(b"\x00\x01", answer=[HTML, (b"content-encoding", b"zstd")])

    assert answer.body == b"\x00\x01"
    assert answer.held == {("unreadable", "zstd")}
    assert "content-security-policy" in answer.headers


def test_a_page_in_utf_16_is_read_held_and_sent_as_utf_8(visit):
    page = "<html><body>å<img src='//count.test/p'></body></html>".encode("utf-16")

    answer = visit(page, answer=[(b"content-type", b"text/html")])

    assert answer.held == {("image", "count.test")}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "å".encode() in answer.body


def test_what_a_meta_says_of_the_charset_moves_to_the_header(visit):
    page = b'<html><head><meta charset="windows-1252"></head><body>\xe5</body></html>'

    answer = visit(page, answer=[(b"content-type", b"text/html")])

    assert answer.headers["content-type"] == "text/html; charset=windows-1252"
    assert b"\xe5" in answer.body


def test_a_page_in_pieces_is_held_across_their_borders(visit):
    page = b"<body>" + b"<p>x</p>" * 50 + b'<img src="https://count.test/p.gif"></body>'

    assert visit(page, chunks=17).body.count(b'data-lofte-src="https://count.test/p.gif"') == 1


def test_head_gets_the_headers_of_the_page_and_no_body(visit):
    answer = visit(b"", method="HEAD", answer=[HTML, (b"content-length", b"900")])

    assert answer.body == b""
    assert "content-length" not in answer.headers
    assert "content-security-policy" in answer.headers


def test_everything_but_pages_streams_by_untouched(visit):
    pieces = visit(b"abcdef" * 100, chunks=6, answer=[(b"content-type", b"video/mp4"), (b"etag", b"1")])

    assert len(pieces.messages) == 7
    assert pieces.headers["etag"] == "1"
    assert "content-security-policy" not in pieces.headers


def test_a_fragment_fetched_by_script_is_held_but_not_dressed(visit):
    answer = visit(b'<p>x</p><img src="//count.test/p">', headers={"sec-fetch-dest": b"empty"})

    assert answer.body == b'<p>x</p><img data-lofte-held=statistics data-lofte-src="//count.test/p">'


def test_a_page_in_a_frame_gets_the_guard_but_no_banner(visit):
    body = visit(PAGE, headers={"sec-fetch-dest": b"iframe"}).body

    assert b'data-lofte="guard"' in body
    assert b"lofte-banner" not in body


def test_shortcuts_past_the_body_are_taken_from_the_site(visit):
    assert visit(PAGE).scope["extensions"] == {}


def test_a_page_outside_every_edition_speaks_the_browsers_language(visit):
    assert b'lang="en-US" aria-labelledby' in visit(PAGE, path="/", headers={"accept-language": b"de, en;q=0.5"}).body
    assert b'lang="sv" aria-labelledby' in visit(PAGE, path="/", headers={"accept-language": b"de"}).body


def test_reports_carry_no_query(visit):
    answer = visit(b'<body><img src="//chat.test/p?mail=a@b.se"></body>', path="/se/x")

    assert {(report.what, report.path) for report in answer.reports} == {("chat.test", "/se/x")}
