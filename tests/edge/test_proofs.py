import json
from html import escape

import pytest

from lofte.edge.subject import Codes
from lofte.evidence.checkpoint import open_checkpoint
from lofte.evidence.log import Draft
from lofte.evidence.note import VerifierKey
from lofte.evidence.verify import verify_receipt
from lofte.kernel.canonical import canonical_bytes
from lofte.rules.controls import words_of

LOCALES = ["sv", "nb", "fi", "en-GB", "en-US"]
VERDICT = {
    "event": "verdict",
    "promise": "P49",
    "status": "unproved",
    "at": "2026-11-22T11:30:00Z",
    "reason": "no-probe",
    "facts": {},
}


def record(world, kind, fact, who=None):
    sealed = canonical_bytes(who) if who else None
    draft = Draft(kind, canonical_bytes(fact), sealed, world.digest, f"{kind}:{json.dumps(fact)}")
    return world.log.append_and_wait(draft).index


def test_a_receipt_is_read_by_whoever_holds_its_code(world):
    told = world.decide().json
    receipt = world.get(told["receipt"])

    assert receipt.header("cache-control") == "private, no-store"
    assert receipt.header("content-disposition") == 'attachment; filename="lofte-receipt-0.json"'
    assert verify_receipt(receipt.body, world.log.vkey())
    assert receipt.json["fact"]["payload"]["choices"] == {"marketing": False, "statistics": True}


def test_a_receipt_is_a_page_in_the_language_of_the_choice(world):
    told = world.decide(world.wish("FI", "fi")).json
    page = world.get(told["page"], {"accept-language": "sv"})

    assert page.status == 200
    assert 'lang="fi"' in page.text
    assert "default-src 'none'" in page.header("content-security-policy")


@pytest.mark.parametrize("path", ["0", "0.html", "0?code=", "0?code=AAAA", "0.pdf?code={code}", "1?code={code}", "x?code={code}",
                                  "-1?code={code}", "99999999999999999999?code={code}", "0/?code={code}", "0?code=å"])  # fmt: skip
def test_without_the_right_code_there_is_no_receipt(world, path):
    code = world.decide().json["receipt"].partition("code=")[2]

    assert world.get("/lofte/receipt/" + path.format(code=code)).status == 404


def test_codes_of_another_installation_open_nothing(world):
    world.decide()

    assert world.get(f"/lofte/receipt/0?code={Codes(b'x' * 32).of(0)}").status == 404


@pytest.mark.parametrize("locale", LOCALES)
def test_a_verdict_is_shown_with_its_proof_in_every_language(world, locale):
    published = world.edge.shelf.current().published
    control = published.policy.promises["P49"].controls[0].control
    index = record(world, "verdict", VERDICT | {"control": control})
    page = world.get(f"/lofte/evidence/{index}?locale={locale}")

    assert f'<html lang="{locale}">' in page.text
    assert escape(published.word(locale, "promises", "P49", "title")) in page.text
    assert escape(words_of(control)[locale].asserts) in page.text
    assert "c2sp.org/tlog-proof@v1" in page.text


def test_a_verdict_of_a_control_since_removed_is_still_shown(world):
    index = record(world, "verdict", VERDICT | {"control": "gone_since"})

    assert "gone_since" in world.get(f"/lofte/evidence/{index}").text


def test_evidence_is_proved_to_programs_too(world):
    index = record(world, "erasure", {"count": 3, "at": "2026-11-22T11:30:00Z"}, {"person": "secret"})
    answer = world.get(f"/lofte/evidence/{index}", {"accept": "application/json"})

    assert verify_receipt(answer.body, world.log.vkey()).index == index
    assert "who" not in answer.json
    assert "secret" not in answer.text + world.get(f"/lofte/evidence/{index}").text


@pytest.mark.parametrize("kind", ["consent", "disclosure", "action"])
def test_facts_about_people_have_no_page(world, kind):
    index = record(world, kind, VERDICT, {"subject": "x"})

    assert world.get(f"/lofte/evidence/{index}").status == 404


def test_an_entry_that_is_not_there_looks_the_same(world):
    hidden = record(world, "consent", VERDICT, {"subject": "x"})
    answers = [world.get(f"/lofte/evidence/{index}") for index in (hidden, 12345)]

    assert answers[0].body == answers[1].body


@pytest.mark.parametrize("audience", ["auditor", "staff"])
def test_verdicts_are_public_only_where_the_policy_says_so(world, example, audience):
    from lofte.features.policy.verbs import publish

    text = example["policy.yaml"].replace("verdicts_visible_to: public", f"verdicts_visible_to: {audience}")
    publish(example | {"policy.yaml": text}, world.home, world.log, world.now)
    world.edge.shelf.look_again()
    index = record(world, "verdict", VERDICT)

    assert world.get(f"/lofte/evidence/{index}").status == 404
    assert "lofte-verdict" not in world.get("/lofte/policy/se/sv/").text.partition("</style>")[2]


def test_a_publication_is_evidence(world, publish_again):
    publish_again("2023-02")
    found = world.log.find("publication", 1)[0]
    page = world.get(f"/lofte/evidence/{found}?locale=sv")

    assert "2023-02" in page.text
    assert world.digest in page.text


def test_the_log_can_be_read_as_its_format_says(world):
    for _ in range(3):
        world.decide()
    key = world.get("/lofte/log/key").text.strip()
    head = open_checkpoint(world.get("/lofte/log/checkpoint").text, VerifierKey.parse(key))
    tile = world.get("/lofte/log/tile/0/000.p/3")
    bundle = world.get("/lofte/log/tile/entries/000.p/3")

    assert head.size == 3
    assert len(tile.body) == 96
    assert bundle.body.count(b'"t":"consent"') == 3
    assert "immutable" in tile.header("cache-control")


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/000.p/9", "tile/0/0", "tile/x/000", "tile/0/../000", "tile/99/000", "keys"]
)
def test_what_the_log_does_not_have_it_does_not_serve(world, path):
    world.decide()

    assert world.get(f"/lofte/log/{path}").status == 404


def test_reading_the_log_too_often_has_to_wait(world):
    world.restart_edge(read_burst=1, read_rate_per_s=0.1)
    world.get("/lofte/log/checkpoint")
    answer = world.get("/lofte/log/checkpoint")

    assert (answer.status, bool(answer.header("retry-after"))) == (429, True)
