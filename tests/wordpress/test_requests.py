"""Privacy requests made in Löfte reach a real WordPress, are carried out by core's own exporters and erasers, and are read back."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from ruamel.yaml import YAML

from lofte import connectors
from lofte.connectors.wordpress import client
from lofte.core import systems
from lofte.core.systems import Act, Who
from lofte.features.register import verbs as keep
from lofte.features.rights import verbs
from lofte.kernel.problems import Problem
from lofte.probes import runner
from lofte.probes.world import here
from lofte.rules.control import Status

pytestmark = [
    pytest.mark.long,
    pytest.mark.mariadb,
    pytest.mark.django_db(databases=["default", "keys"], transaction=True),
]
ROOT = Path(__file__).parents[2]
MAPPING = """\
connector: wordpress
format: wordpress/1
url_from: LOFTE_WORDPRESS_URL
key_from: LOFTE_WORDPRESS_KEY
purpose: answers
other: dialogue
"""


@pytest.fixture
def connected(wordpress, wordpress_key, home, republish, monkeypatch) -> Iterator[client.WordPress]:
    monkeypatch.setenv("LOFTE_WORDPRESS_URL", wordpress.origin)
    monkeypatch.setenv("LOFTE_WORDPRESS_KEY", wordpress_key)
    republish(
        lambda policy: policy["systems"].update(
            wordpress={"name": "WordPress", "kind": "cms", "fields": ["email", "name", "dialogue"]}
        )
    )
    (home / "systems").mkdir()
    (home / "systems" / "wordpress.yaml").write_text(MAPPING)
    assert connectors.connect_all(home) == ("wordpress",)
    yield systems.get("wordpress")
    systems.disconnect_all()


def comment(wordpress, email: str, text: str) -> None:
    wordpress.php(
        f"wp_insert_comment(['comment_post_ID'=>1,'comment_author'=>'Kari','comment_author_email'=>'{email}',"
        f"'comment_content'=>'{text}','comment_approved'=>1]);"
    )


def act(what: str, email: str) -> Act:
    return Act(uuid4(), what, Who((("email", email), ("name", "Kari"))))


def test_the_site_is_checked_before_it_is_owed_anything(connected, monkeypatch):
    assert connected.check() == []
    monkeypatch.setenv("LOFTE_WORDPRESS_KEY", "x" * 64)
    with pytest.raises(Problem) as refused:
        connected.check()
    assert refused.value.code == "wordpress.refused"


def test_a_copy_holds_what_wordpress_exports_and_is_read_back(connected, wordpress):
    email = f"{uuid4().hex}@example.no"
    comment(wordpress, email, "Et ord om faktura")
    wanted = act("export", email.upper())
    found = connected.find(wanted.who)
    records = connected.export(wanted)
    assert found.counts == {"comments": 1}
    assert ("dialogue", "Et ord om faktura") in [
        (value.field, value.value) for record in records for value in record.values
    ]
    assert ("email", email) in [(value.field, value.value) for record in records for value in record.values]
    assert connected.verify(wanted, found, records) == []
    assert [left.where for left in connected.verify(wanted, found, [])] == ["export"]


def test_what_an_eraser_leaves_is_found_in_the_tables(connected, wordpress):
    email = f"{uuid4().hex}@example.no"
    comment(wordpress, email, f"Skriv til {email}")
    wanted = act("erase", email)
    found = connected.find(wanted.who)
    assert {each.where for each in connected.verify(wanted, found, [])} == {"user_request"}
    connected.erase(wanted, found)
    # Core makes the author anonymous and keeps the words, which here name the address.
    assert [(each.where, each.count) for each in connected.verify(wanted, found, [])] == [
        ("comments.comment_content", 1)
    ]


def test_an_account_that_works_on_the_site_is_kept_and_said(connected, wordpress):
    for role, left in (("subscriber", set()), ("editor", {"users.user_email"})):
        email = f"{uuid4().hex}@example.no"
        wordpress.php(
            f"wp_insert_user(['user_login'=>'{role}-x','user_pass'=>'{uuid4()}','user_email'=>'{email}','role'=>'{role}']);"
        )
        wanted = act("erase", email)
        found = connected.find(wanted.who)
        connected.erase(wanted, found)
        connected.erase(wanted, found)  # again, after a crash: nothing more happens
        assert {each.where for each in connected.verify(wanted, found, [])} == left


def test_a_person_s_erasure_in_loefte_reaches_wordpress(connected, wordpress, log):
    email = f"{uuid4().hex}@example.no"
    comment(wordpress, email, "Hei")
    person = keep.welcome()
    keep.begin_relation(person, "customer", market="NO", locale="nb")
    keep.hold(person, {"email": email, "name": "Kari"}, "customer", source="import", market="NO", locale="nb")
    done = verbs.erase(person)
    assert done.is_complete
    assert done.receipt["fact"]["payload"]["systems"] == [{"system": "wordpress", "rows": {"comments": 1}}]
    assert wordpress.value(f"get_comments(['author_email'=>'{email}','count'=>true])") == 0
    assert wordpress.value(
        "get_posts(['post_type'=>'user_request','post_status'=>'request-completed','numberposts'=>-1,'fields'=>'ids'])"
    )
    assert email not in wordpress.php(
        'global $wpdb; echo json_encode($wpdb->get_col("SELECT post_title FROM $wpdb->posts"));'
    )


def test_a_call_is_taken_once_in_its_time_and_as_signed(connected, wordpress, monkeypatch):
    _, key = connected._settings()

    def ask(body: bytes, at: int, nonce: str, signed: bytes | None = None) -> int:
        text = "\n".join(("POST", "/lofte/v1/state", str(at), nonce, hashlib.sha256(signed or body).hexdigest()))
        headers = {
            "Content-Type": "application/json", "X-Lofte-Time": str(at), "X-Lofte-Nonce": nonce,
            "X-Lofte-Signature": hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }  # fmt: skip
        request = urllib.request.Request(f"{wordpress.origin}/?rest_route=/lofte/v1/state", body, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                assert json.load(answer)["format"] == "lofte-wordpress/1"
                return answer.status
        except urllib.error.HTTPError as wrong:
            return wrong.code

    now, nonce = int(time.time()), uuid4().hex
    assert ask(b"{}", now, nonce) == 200
    assert ask(b"{}", now, nonce) == 401
    assert ask(b"{}", now - 400, uuid4().hex) == 401
    assert ask(b'{"email":"x@y.z"}', now, uuid4().hex, signed=b"{}") == 401


def test_the_site_says_what_it_may_keep_in_a_browser(connected, wordpress):
    """The contract that tests/sabotage/test_wordpress.py plays, against what this WordPress itself calls its cookies."""
    said = connected.cookies()
    named = {each.name: each for each in said.cookies}
    constants = wordpress.value("[TEST_COOKIE, AUTH_COOKIE, LOGGED_IN_COOKIE, RECOVERY_MODE_COOKIE, COOKIEHASH]")
    assert said.version == wordpress.value("get_bloginfo('version')")
    assert (said.plugin, said.is_gated) == ("0.1.0", True)
    assert set(constants[:4]) <= set(named)
    assert named[constants[2]].seconds == 14 * 86400 + 12 * 3600
    assert {each.name for each in said.cookies if each.is_held} == {
        f"comment_author_{part}{constants[4]}" for part in ("", "email_", "url_")
    }


def test_what_plugins_registered_is_told_with_its_life_and_judged(connected, wordpress, home):
    plugin = wordpress.folder / "site" / "wp-content" / "mu-plugins" / "registered.php"
    plugin.parent.mkdir(exist_ok=True)
    # The answer of the WP Consent API, with the keys its releases use.
    plugin.write_text(
        "<?php function wp_get_cookie_info( $name = false ) { return array("
        "'shop_basket' => array('category'=>'functional','expires'=>'2 days','type'=>'HTTP'),"
        "'heat_map' => array('category'=>'statistics','expires'=>'a while','type'=>'LocalStorage')); }"
    )
    try:
        named = {each.name: each for each in connected.cookies().cookies}
        verdict = runner.judge(here("http://localhost:1"), "cms_cookies_declared", {"system": "wordpress"})
    finally:
        plugin.unlink()
    basket, map_ = named["shop_basket"], named["heat_map"]
    assert (basket.storage, basket.life, basket.seconds, basket.is_held) == ("cookie", "timed", 2 * 86400, False)
    assert (map_.storage, map_.kind, map_.life) == ("local", "statistics", "unknown")
    assert (verdict.status, verdict.reason) == (Status.BROKEN, "undeclared")
    assert "shop_basket" in verdict.facts["found"]


def test_a_real_wordpress_keeps_the_promise_over_https_and_not_with_a_plain_login(connected, wordpress, republish):
    whole = YAML(typ="safe").load((ROOT / "policies" / "xledger" / "policy.yaml").read_text())
    of_site = {key: each for key, each in whole["cookies"].items() if each.get("system") == "wordpress"}

    def declare(policy):
        policy["systems"]["wordpress"] = {"name": "WordPress", "kind": "cms", "fields": ["login", "locale"]}
        policy["fields"] |= {name: whole["fields"][name] for name in ("login", "locale")}
        for name in ("necessary", "functional"):
            policy["purposes"][name] = whole["purposes"][name]
        policy["cookies"] |= of_site

    republish(declare, "2026-03")
    judged = runner.judge(here("http://localhost:1"), "cms_cookies_declared", {"system": "wordpress"})
    # Without https core names its login otherwise, and the policy does not know that name.
    assert (judged.status, judged.reason) == (Status.BROKEN, "undeclared")
    assert wordpress.value("AUTH_COOKIE") in judged.facts["found"]
    plugin = wordpress.folder / "site" / "wp-content" / "mu-plugins" / "secure.php"
    plugin.parent.mkdir(exist_ok=True)
    plugin.write_text("<?php define( 'FORCE_SSL_ADMIN', true );")
    try:
        judged = runner.judge(here("http://localhost:1"), "cms_cookies_declared", {"system": "wordpress"})
    finally:
        plugin.unlink()
    assert judged.status is Status.KEPT, judged
