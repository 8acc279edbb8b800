import asyncio
import base64
import json

import pytest

from lofte.edge.refusals import STATUS, Refusal
from lofte.edge.subject import Tokens
from lofte.evidence.verify import verify_receipt
from lofte.gate.choice import Choice, choice_key, decode, encode
from lofte.kernel.problems import Problem

EDITIONS = [("SE", "sv"), ("NO", "nb"), ("FI", "fi"), ("GB", "en-GB"), ("US", "en-US")]


def cookie_of(answer):
    return next(line for line in answer.cookies() if line.startswith("lofte=")).partition(";")[0]


def choice_of(world, answer):
    return decode(cookie_of(answer), choice_key(world.home))


# What is accepted


def test_a_decision_is_durable_before_it_is_acknowledged(world):
    answer = world.decide()

    assert answer.status == 201
    assert world.log.size() == 1
    assert world.facts() == [
        {
            "action": "decide",
            "at": "2026-11-22T12:00:00Z",
            "choices": {"marketing": False, "statistics": True},
            "gpc": False,
            "locale": "sv",
            "market": "SE",
            "method": "banner",
            "publication": world.digest,
            "wording": world.wish()["wording"],
        }
    ]


def test_the_acknowledgement_carries_both_openings_and_the_signed_head(world):
    answer = world.decide()
    told, opened = answer.json, world.log.opened(0)

    assert told["index"] == 0
    assert told["fact"]["payload"] == json.loads(opened.fact)
    assert base64.b64decode(told["fact"]["salt"]) == opened.fact_salt
    assert told["who"]["payload"] == json.loads(opened.who)
    assert base64.b64decode(told["who"]["salt"]) == opened.who_salt
    assert told["checkpoint"] == world.log.checkpoint()


def test_the_receipt_behind_the_acknowledgement_verifies_offline(world):
    answer = world.decide()
    receipt = world.get(answer.json["receipt"])

    assert receipt.status == 200
    assert verify_receipt(receipt.json, world.log.vkey()).index == 0


def test_the_cookie_holds_the_choice_and_the_index(world):
    answer = world.decide()
    choice = choice_of(world, answer)

    assert choice.granted == {"statistics"}
    assert choice.index == 0
    assert choice.publication == world.digest[:16]
    assert "; Path=/; HttpOnly; SameSite=Lax" in answer.cookies()[0]


def test_the_cookie_is_secure_where_the_page_is(world):
    plain = world.decide().cookies()[0]
    secure = world.decide(world.wish(), scheme="https").cookies()[0]

    assert "Secure" not in plain
    assert secure.endswith("; Secure")


def test_a_refusal_is_a_fact_like_a_grant(world):
    world.decide(world.wish(choices={"statistics": False, "marketing": False}))

    assert world.facts()[0]["choices"] == {"marketing": False, "statistics": False}
    assert world.count("lofte_consents_total", market="SE", action="decide") == 1


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
@pytest.mark.parametrize(("button", "granted"), [("accept", True), ("reject", False)])
def test_the_form_works_without_script_in_every_edition(world, market, locale, button, granted):
    path = world.edge.shelf.current().published.policy.markets[market].path
    answer = world.submit(world.form(market, locale, decision=button, back=f"{path}/products?page=2"))

    assert (answer.status, answer.header("location")) == (303, f"{path}/products?page=2")
    assert set(world.facts()[0]["choices"].values()) == {granted}
    assert world.facts()[0]["locale"] == locale
    assert (choice_of(world, answer).granted != frozenset()) is granted


def test_ticked_boxes_are_what_is_saved(world):
    world.submit(world.form(decision="save", back="/se", **{"choice.statistics": "on"}))

    assert world.facts()[0]["choices"] == {"marketing": False, "statistics": True}


def test_without_a_way_back_the_form_leads_to_the_edition(world):
    assert world.submit(world.form(decision="reject")).header("location") == "/se"


def test_where_a_choice_was_shown_is_known_from_its_token(world):
    world.decide(world.wish(token=world.token(method="preferences")))

    assert world.facts()[0]["method"] == "preferences"


def test_global_privacy_control_is_recorded_and_a_later_grant_marked(world):
    world.decide(world.wish(choices={"marketing": True}), headers={"sec-gpc": "1"})
    world.decide(world.wish(choices={"statistics": True}), headers={"sec-gpc": "1"})
    world.decide(headers={"sec-gpc": "true"})
    first, second, third = world.facts()

    assert (first["gpc"], first["after_gpc"]) == (True, True)
    assert (second["gpc"], "after_gpc" in second) == (True, False)
    assert third["gpc"] is False


def test_no_address_reaches_the_log_or_the_metrics(world):
    answer = world.decide()
    opened = world.log.opened(0)

    assert b"192.0.2.7" not in opened.fact + opened.who + answer.body + world.get("/metrics").body


# History


def test_history_is_appended_and_never_changed(world):
    first = world.decide()
    before = world.log.entry(0), world.log.opened(0)
    world.decide(world.wish(choices={}), headers={"cookie": cookie_of(first)})
    world.decide(world.wish(action="withdraw"), headers={"cookie": cookie_of(first)})

    assert (world.log.entry(0), world.log.opened(0)) == before
    assert [fact["action"] for fact in world.facts()] == ["decide", "decide", "withdraw"]


def test_a_browser_that_has_chosen_keeps_its_subject(world):
    first = world.decide()
    second = world.decide(headers={"cookie": cookie_of(first)})
    who = json.loads(world.log.opened(1).who)

    assert choice_of(world, second).subject == choice_of(world, first).subject == who["subject"]
    assert who["previous"] == 0


def test_a_double_click_is_one_fact(world):
    wish = json.dumps(world.wish()).encode()
    first, second = world.decide(wish), world.decide(wish)

    assert world.log.size() == 1
    assert second.status == 201
    assert first.json == second.json


def test_two_clicks_at_the_same_moment_are_one_fact(world):
    wish = json.dumps(world.wish()).encode()
    headers = {"content-type": "application/json"}

    async def both():
        ask = lambda: world.asking("POST", "/lofte/consent", headers, wish)  # noqa: E731
        return await asyncio.gather(ask(), ask(), ask())

    answers = asyncio.run(both())

    assert [answer.json["index"] for answer in answers] == [0, 0, 0]
    assert world.log.size() == 1


def test_a_replay_a_minute_later_gets_the_first_receipt(world):
    wish = json.dumps(world.wish()).encode()
    first = world.decide(wish)
    world.later(minutes=1)
    again = world.decide(wish)

    assert again.json["fact"] == first.json["fact"]
    assert world.log.size() == 1


def test_changing_ones_mind_and_back_on_one_page_is_three_facts(world):
    token = world.token()
    yes = world.wish(token=token, choices={"statistics": True})
    no = world.wish(token=token, choices={"statistics": False})
    answer = world.decide(yes)
    for wish in (no, yes):
        world.later(seconds=5)
        answer = world.decide(wish, headers={"cookie": cookie_of(answer)})

    assert [fact["choices"]["statistics"] for fact in world.facts()] == [True, False, True]
    assert choice_of(world, answer).index == 2


# Withdrawal


def test_withdrawal_is_a_fact_and_expires_every_declared_cookie(world):
    sent = "lofte_locale=sv; _ga=GA1.1; _ga_ABC123=GS1; csrftoken=secret; unknown=1"
    answer = world.decide(world.wish(action="withdraw"), headers={"cookie": sent})
    expired = {line.partition("=")[0] for line in answer.cookies() if "Max-Age=0" in line}
    declared = {
        cookie.name
        for cookie in world.edge.shelf.current().published.policy.cookies.values()
        if cookie.party == "first"
        and cookie.storage == "cookie"
        and cookie.purpose in ("statistics", "marketing")
        and "*" not in cookie.name
    }

    assert world.facts()[0]["action"] == "withdraw"
    assert declared | {"_ga_ABC123"} == expired
    assert not {"csrftoken", "lofte_locale"} & expired
    assert "_ga=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Domain=example.com" in answer.cookies()
    assert choice_of(world, answer).granted == frozenset()


def test_withdrawal_by_form_leads_back(world):
    answer = world.submit(world.form(decision="withdraw", back="/se/om-oss"))

    assert (answer.status, answer.header("location")) == (303, "/se/om-oss")
    assert world.facts()[0]["action"] == "withdraw"


def test_a_narrower_choice_removes_what_it_no_longer_allows(world):
    answer = world.decide(world.wish(choices={"statistics": True}), headers={"cookie": "_ga=1; _fbp=2"})
    expired = {line.partition("=")[0] for line in answer.cookies() if "Max-Age=0" in line}

    assert expired == {"_fbp"}


# What is refused


def altered(text):
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def other_key(world):
    return Tokens(b"x" * 32).issue("SE", "sv", world.digest, int(world.now.timestamp()))


FORM = "application/x-www-form-urlencoded"
REFUSALS = {
    "a token of another key": (Refusal.FORGED_TOKEN, lambda w: w.wish(token=other_key(w)), {}),
    "an altered token": (Refusal.FORGED_TOKEN, lambda w: w.wish(token=altered(w.token())), {}),
    "a token moved to another time": (
        Refusal.FORGED_TOKEN,
        lambda w: w.wish(token=w.token().replace(".17", ".18")),
        {},
    ),
    "an empty token": (Refusal.FORGED_TOKEN, lambda w: w.wish(token=""), {}),
    "a token of other letters": (Refusal.FORGED_TOKEN, lambda w: w.wish(token="v1.å.1.SE.sv.x.y"), {}),
    "an old page": (Refusal.STALE, lambda w: w.wish(token=w.token(at=w.now.replace(day=21, hour=11))), {}),
    "a page from tomorrow": (Refusal.STALE, lambda w: w.wish(token=w.token(at=w.now.replace(day=23))), {}),
    "another market than shown": (Refusal.MISPLACED, lambda w: w.wish("NO", "nb", token=w.token()), {}),
    "a market without an edition": (Refusal.UNKNOWN_MARKET, lambda w: w.wish(market="DK", locale="da"), {}),
    "a language the market lacks": (Refusal.UNKNOWN_MARKET, lambda w: w.wish(locale="fi"), {}),
    "an unknown publication": (Refusal.UNKNOWN_PUBLICATION, lambda w: w.wish(publication="0" * 64), {}),
    "a publication that is a path": (
        Refusal.UNKNOWN_PUBLICATION,
        lambda w: w.wish(publication="../../keys/subject"),
        {},
    ),
    "another text": (Refusal.WORDING, lambda w: w.wish(wording="0" * 64), {}),
    "the text of the policy": (
        Refusal.WORDING,
        lambda w: w.wish(wording=w.edge.shelf.current().published.wordings["SE/sv/policy"]),
        {},
    ),
    "an unknown purpose": (Refusal.UNKNOWN_PURPOSE, lambda w: w.wish(choices={"profiling": True}), {}),
    "a purpose of persons": (Refusal.UNKNOWN_PURPOSE, lambda w: w.wish(choices={"contact": True}), {}),
    "a necessary purpose": (Refusal.UNDECIDABLE_PURPOSE, lambda w: w.wish(choices={"necessary": False}), {}),
    "no JSON": (Refusal.MALFORMED, lambda w: b"{", {}),
    "no object": (Refusal.MALFORMED, lambda w: b"[1]", {}),
    "a very deep body": (Refusal.MALFORMED, lambda w: b"[" * 4000, {}),
    "no UTF-8": (Refusal.MALFORMED, lambda w: b'{"token":"\xff\xfe"}', {}),
    "a missing member": (Refusal.MALFORMED, lambda w: {"token": w.token()}, {}),
    "a choice that is not yes or no": (Refusal.MALFORMED, lambda w: w.wish(choices={"statistics": 1}), {}),
    "a choice that is text": (Refusal.MALFORMED, lambda w: w.wish(choices={"statistics": "true"}), {}),
    "an unknown action": (Refusal.MALFORMED, lambda w: w.wish(action="delete"), {}),
    "an action that is a list": (Refusal.MALFORMED, lambda w: w.wish(action=[]), {}),
    "a huge body": (Refusal.TOO_LARGE, lambda w: w.wish(extra="x" * 5000), {}),
    "a body announced as huge": (Refusal.TOO_LARGE, lambda w: b"{}", {"content-length": "999999999999999999"}),
    "a length that is no number": (Refusal.TOO_LARGE, lambda w: b"{}", {"content-length": "-1"}),
    "plain text": (Refusal.CONTENT_TYPE, lambda w: w.wish(), {"content-type": "text/plain"}),
    "a multipart form": (Refusal.CONTENT_TYPE, lambda w: w.wish(), {"content-type": "multipart/form-data; boundary=x"}),
    "no content type": (Refusal.CONTENT_TYPE, lambda w: w.wish(), {"content-type": ""}),
    "another site by origin": (Refusal.OTHER_SITE, lambda w: w.wish(), {"origin": "https://evil.example"}),
    "another port": (Refusal.OTHER_SITE, lambda w: w.wish(), {"origin": "https://www.example.com:8443"}),
    "a sandboxed frame": (Refusal.OTHER_SITE, lambda w: w.wish(), {"origin": "null"}),
    "another site by fetch metadata": (Refusal.OTHER_SITE, lambda w: w.wish(), {"sec-fetch-site": "cross-site"}),
    "a sister site": (Refusal.OTHER_SITE, lambda w: w.wish(), {"sec-fetch-site": "same-site"}),
    "fetch metadata against a friendly origin": (
        Refusal.OTHER_SITE,
        lambda w: w.wish(),
        {"sec-fetch-site": "cross-site", "origin": "https://www.example.com"},
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_no_decision_is_refused_and_counted_by_its_reason(world, name):
    reason, wish, headers = REFUSALS[name]
    answer = world.decide(wish(world), headers=headers)

    assert (answer.status, answer.json["reason"]) == (STATUS[reason], reason.value)
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json["type"] == f"urn:lofte:problem:consent.{reason.value}"
    assert answer.json["way_out"]
    assert answer.cookies() == []
    assert world.log.size() == 0
    assert world.count("lofte_consents_refused_total", reason=reason.value) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_only_post_decides(world, method):
    answer = world.ask(method, "/lofte/consent")

    assert (answer.status, answer.header("allow")) == (405, "POST, OPTIONS")
    assert world.count("lofte_consents_refused_total", reason="method") == 1


def test_options_says_what_may_be_sent_and_opens_nothing_to_other_sites(world):
    answer = world.ask("OPTIONS", "/lofte/consent", {"origin": "https://evil.example"})

    assert (answer.status, answer.header("allow")) == (204, "POST, OPTIONS")
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]


FOREIGN = (
    "//evil.example", "/\\evil.example", "https://evil.example/", "\\\\evil.example", "javascript:alert(1)", "se",
    "/\t/evil.example", "/se\r\nSet-Cookie: a=b", "/se\nx", "/se\x00", "/s e", "/å", "/" + "a" * 2050,
)  # fmt: skip


@pytest.mark.parametrize("back", FOREIGN)
def test_the_form_leads_nowhere_but_back_to_this_site(world, back):
    answer = world.submit(world.form(decision="accept", back=back))

    assert answer.status == 400
    assert not answer.header("location")
    assert world.log.size() == 0
    assert world.count("lofte_consents_refused_total", reason="foreign-return") == 1


@pytest.mark.parametrize("body", [b"a=%ff&decision=accept", b"\xff", b"&".join([b"a=1"] * 200), b"decision=perhaps"])
def test_a_form_that_is_none_is_refused(world, body):
    answer = world.ask("POST", "/lofte/consent", {"content-type": FORM}, body)

    assert (answer.status, answer.json["reason"]) == (400, "malformed")


def test_a_friendly_origin_may_be_declared(world):
    world.restart_edge(origins=frozenset({"https://shop.example"}))

    assert world.decide(headers={"origin": "https://shop.example", "sec-fetch-site": "cross-site"}).status == 201


def test_a_page_of_this_site_may_decide(world):
    assert world.decide(headers={"origin": "https://www.example.com", "sec-fetch-site": "same-origin"}).status == 201
    assert world.decide(world.wish(), headers={"origin": "http://www.example.com"}).status == 201
    assert world.decide(world.wish(), headers={"origin": "null", "sec-fetch-site": "same-origin"}).status == 201


def test_a_body_in_many_pieces_is_one_body(world):
    body = json.dumps(world.wish()).encode()
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]

    assert world.ask("POST", "/lofte/consent", {"content-type": "application/json"}, pieces).status == 201


def test_a_body_that_never_ends_is_given_up(world):
    world.restart_edge(body_timeout_s=0.05)

    answer = asyncio.run(slow_body(world))

    assert (answer[0]["status"], json.loads(answer[1]["body"])["reason"]) == (408, "slow")


async def slow_body(world):
    sent = []
    first = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive():
        return first.pop() if first else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"host", b"www.example.com")]
    scope = {"type": "http", "method": "POST", "path": "/lofte/consent", "headers": headers, "client": ("192.0.2.1", 1)}
    await world.edge(scope, receive, send)
    return sent


def test_a_client_that_decides_too_often_is_told_to_wait(world):
    world.restart_edge(consent_burst=2, consent_rate_per_s=0.1)
    answers = [world.decide() for _ in range(3)]
    other = world.decide(client=("198.51.100.1", 1))

    assert [answer.status for answer in answers] == [201, 201, 429]
    assert answers[2].header("retry-after") == "10"
    assert other.status == 201
    assert world.count("lofte_consents_refused_total", reason="too-many") == 1


def test_a_planted_cookie_is_no_subject(world):
    forged = encode(Choice("c3ViamVjdA", frozenset({"marketing"}), world.digest[:16], 0), b"x" * 32)
    world.decide(headers={"cookie": f"lofte={forged}"})

    assert "previous" not in json.loads(world.log.opened(0).who)


# Publications in motion


def test_a_page_shown_before_a_new_publication_may_still_be_answered(world, publish_again):
    wish = world.wish()
    publish_again("2023-02")
    world.later(hours=1)

    assert world.decide(wish).status == 201
    assert world.facts()[0]["publication"] == wish["publication"]


def test_the_version_before_the_last_may_not(world, publish_again):
    wish = world.wish()
    publish_again("2023-02")
    publish_again("2023-03")

    assert world.decide(wish).json["reason"] == "unknown-publication"


def test_the_previous_version_may_not_once_a_day_has_passed(world, publish_again):
    wish = world.wish()
    publish_again("2023-02", at=world.now.replace(day=20))

    assert world.decide(wish).json["reason"] == "unknown-publication"


def test_a_token_of_one_version_does_not_answer_for_another(world, publish_again):
    old = world.token()
    publish_again("2023-02")

    assert world.decide(world.wish(token=old)).json["reason"] == "misplaced"


# Refusals for people


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
@pytest.mark.parametrize("reason", list(Refusal))
def test_every_refusal_has_words_in_every_language(reason, market, locale):
    from lofte.edge.refusals import problem_of

    what = problem_of(reason, locale)

    assert what.detail.endswith(".")
    assert what.way_out.endswith(".")


@pytest.mark.parametrize(("market", "locale"), EDITIONS)
def test_a_browser_without_script_gets_a_page_in_its_language_with_a_way_out(world, market, locale):
    fields = world.form(market, locale, decision="accept", back="/se?a=1&b=2")
    world.later(hours=25)
    answer = world.submit(fields)

    assert answer.status == 409
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert f'<html lang="{locale}">' in answer.text
    assert f'href="/lofte/preferences/{market.lower()}/{locale}/?back=/se%3Fa%3D1%26b%3D2"' in answer.text
    assert "default-src 'none'" in answer.header("content-security-policy")


def test_a_script_is_shown_the_way_out_of_a_stale_page(world):
    wish = world.wish()
    world.later(hours=25)

    assert world.decide(wish).json["preferences"] == "/lofte/preferences/se/sv/"


def test_who_prefers_the_whole_receipt_gets_it_at_once_and_it_verifies(world):
    answer = world.decide(headers={"prefer": "return=representation"})

    assert answer.status == 201
    assert answer.header("preference-applied") == "return=representation"
    assert verify_receipt(answer.json).fact["choices"]


def test_an_acknowledgement_given_for_a_receipt_says_where_the_receipt_is(world):
    answer = world.decide()

    with pytest.raises(Problem) as refused:
        verify_receipt(answer.json)
    assert refused.value.code == "receipt.acknowledgement"
    assert "`receipt`" in refused.value.way_out
