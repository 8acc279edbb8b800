"""Let the content system keep what nobody declared. Exactly that promise turns red.

A contract server stands in for WordPress: signed calls and answers as the plugin makes them. tests/wordpress holds the real
plugin to the same contract.
"""

import hashlib
import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lofte import connectors
from lofte.core import systems
from lofte.rules.control import Status

pytestmark = pytest.mark.xdist_group("sabotage")

KEY = secrets.token_hex(32)
MAPPING = """\
connector: wordpress
format: wordpress/1
url_from: LOFTE_WORDPRESS_URL
key_from: LOFTE_WORDPRESS_KEY
purpose: answers
other: dialogue
"""
HASH = "0" * 32
DAY_S = 86400


def _cookie(name, kind="login", seconds=None, *, is_held=False, storage="cookie"):
    life = "timed" if seconds else "session"
    return {"name": name, "storage": storage, "kind": kind, "life": life, "seconds": seconds, "is_held": is_held}


def _core():
    """As WordPress 6.1 with https answers, where the policy declares no comment cookies."""
    signed_in = 14 * DAY_S + DAY_S // 2
    return [
        _cookie("wordpress_test_cookie"), _cookie(f"wordpress_sec_{HASH}", seconds=signed_in),
        _cookie(f"wordpress_logged_in_{HASH}", seconds=signed_in), _cookie(f"wordpress_rec_{HASH}", seconds=7 * DAY_S),
        _cookie(f"wp-resetpass-{HASH}"), _cookie(f"wp-postpass_{HASH}", seconds=10 * DAY_S),
        _cookie("wp-saving-post", seconds=DAY_S), _cookie("wp-settings-1", seconds=365 * DAY_S),
        _cookie("wp-settings-time-1", seconds=365 * DAY_S), _cookie("wp_lang", "functional"),
        *(_cookie(f"comment_author_{part}{HASH}", "comments", 30_000_000, is_held=True) for part in ("", "email_", "url_")),
        _cookie("wp-autosave-1", storage="session"),
    ]  # fmt: skip


class _Site(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        route, at, nonce = (
            self.path.partition("rest_route=")[2],
            self.headers["X-Lofte-Time"],
            self.headers["X-Lofte-Nonce"],
        )
        text = "\n".join(("POST", route, at, nonce, hashlib.sha256(body).hexdigest()))
        is_signed = hmac.compare_digest(
            hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest(), self.headers["X-Lofte-Signature"]
        )
        is_new, _ = nonce not in self.server.nonces, self.server.nonces.add(nonce)
        answer = self.server.answers.get(route.rpartition("/")[2])
        status = 401 if not (is_signed and is_new) else 404 if answer is None else 200
        content = json.dumps(answer if status == 200 else {"code": "no"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(system, monkeypatch):
    """Its answer about cookies, to be changed; connected as `wordpress`, and holding nothing about anybody."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    said = {
        "format": "lofte-wordpress/1", "wordpress": "6.1.9", "plugin": "0.1.0", "is_gated": True, "has_consent_api": True,
        "cookies": _core(),
    }  # fmt: skip
    done = {"status": "request-completed", "records": []}
    server.nonces = set()
    server.answers = {"cookies": said, "find": {"records": []}, "requests": done, "track": done, "left": {"left": {}}}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("LOFTE_WORDPRESS_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("LOFTE_WORDPRESS_KEY", KEY)
    file = system.home / connectors.FOLDER / "wordpress.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(MAPPING)
    try:
        assert connectors.connect_all(system.home) == ("wordpress",)
        assert system.board({"P43"}) == {"P43": Status.KEPT}, system.reason("P43")
        yield said
    finally:
        file.unlink()
        systems.disconnect_all()
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_without_a_wordpress_the_board_says_what_is_missing(system):
    assert system.board({"P43"}) == {"P43": Status.UNPROVED}
    assert "systems/wordpress.yaml" in system.reason("P43")


def test_a_cookie_of_a_plugin_that_nobody_declared_breaks_p43(system, healthy, site, broken_by):
    site["cookies"].append(_cookie("shop_basket", "functional", 2 * DAY_S))

    assert broken_by() == {"P43"}
    assert "shop_basket" in system.reason("P43")


def test_a_comment_cookie_declared_necessary_breaks_p43(system, site, republished):
    for cookie in site["cookies"]:
        cookie["is_held"] = False
    comment = {"party": "first", "provider": "self", "purpose": "necessary", "lifetime": "P348D"}

    with republished(lambda policy: policy["cookies"].update(comment={**comment, "name": "comment_author_*"})):
        assert system.board({"P43"}) == {"P43": Status.BROKEN}

    assert f"comment_author_{HASH}" in system.reason("P43")
    assert "only with consent" in system.reason("P43")


def test_a_login_that_lasts_longer_than_declared_breaks_p43(system, site):
    site["cookies"][2]["seconds"] = 30 * DAY_S

    assert system.board({"P43"}) == {"P43": Status.BROKEN}
    assert f"wordpress_logged_in_{HASH}" in system.reason("P43")


@pytest.mark.parametrize("change", [{"is_gated": False}, {"format": "lofte-wordpress/9"}, {"cookies": []}])
def test_a_site_that_gives_no_usable_answer_proves_nothing(system, site, change):
    site.update(change)

    assert system.board({"P43"}) == {"P43": Status.UNPROVED}


def test_a_site_that_refuses_our_signature_proves_nothing(system, site, monkeypatch):
    monkeypatch.setenv("LOFTE_WORDPRESS_KEY", "x" * 64)

    assert system.board({"P43"}) == {"P43": Status.UNPROVED}
    assert "wordpress.refused" in system.reason("P43")
