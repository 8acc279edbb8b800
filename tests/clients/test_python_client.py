"""The Python client against a living installation: `lofte serve` in a process of its own, asked over HTTP."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from lofte_client import BadQuestion, Denied, Lofte, OutOfScope, Person, TooOften, Unauthorised, Unavailable

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("client")  # one living installation is enough for all of them


def command(home, *arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
    return [sys.executable, "-m", "lofte.cli.main", *arguments], clean | {"LOFTE_HOME": str(home)}


def run(home, *arguments):
    line, environment = command(home, *arguments)
    done = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """Address and home of an installation with the example policy in force."""
    home = tmp_path_factory.mktemp("living")
    run(home, "publish", str(ROOT / "policies" / "xledger"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line, environment = command(home, "serve", "--port", str(port))
    with (home / "served.txt").open("wb") as said:
        served = subprocess.Popen(line, env=environment, cwd=ROOT, stdout=said, stderr=said)
    address, ends = f"http://127.0.0.1:{port}", time.monotonic() + 90
    while not is_ready(address):
        assert served.poll() is None, (home / "served.txt").read_text()
        assert time.monotonic() < ends, (home / "served.txt").read_text()
        time.sleep(0.2)
    yield address, home
    served.terminate()
    served.wait(30)


def is_ready(address):
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def token_of(installation):
    """A token made at the shell, beside the serving process: ``token_of("crm", "decide:use")``."""

    def make(name, *scopes, rate=600):
        said = run(installation[1], "token", "add", name, "--scope", ",".join(scopes), "--per-minute", str(rate))
        return re.search(r"lofte_\S+", said).group()

    return make


@pytest.fixture(scope="module")
def lofte(installation, token_of):
    token = token_of("crm", "decide:use", "decide:send", "decide:share", "people:find")
    return Lofte(installation[0], token, language="sv")


def test_a_use_the_policy_declares_is_a_yes_with_all_that_it_rests_on(lofte):
    decision = lofte.may_use("customer", ["name", "email"])

    assert decision
    assert (decision.reason, decision.promise, decision.law) == ("declared", "P17", "GDPR 6(1)(b)")
    assert decision.said == "Policyn tillåter ändamålet och uppgifterna."
    assert "avtal" in decision.promised.lower()
    assert len(decision.policy) == 64
    assert abs(datetime.now(UTC) - decision.at) < timedelta(minutes=5)
    assert decision.demand() is decision


def test_each_answer_has_its_own_place_in_the_log(lofte):
    first, second = lofte.may_use("customer", ["name"]), lofte.may_use("customer", ["name"])

    assert second.evidence > first.evidence


def test_a_no_is_false_and_can_be_demanded(lofte):
    decision = lofte.may_share("partners-se", "contact", ["name", "email"], market="SE")

    assert not decision
    assert (decision.reason, decision.promise) == ("no-agreement", "P21")
    with pytest.raises(Denied, match="P21") as denied:
        decision.demand()
    assert (denied.value.reason, denied.value.evidence) == ("no-agreement", decision.evidence)


def test_a_processors_system_is_shared_with_in_its_country_and_no_other(lofte):
    assert lofte.may_share("creatio", "customer", ["name"], market="SE")
    assert lofte.may_share("creatio", "customer", ["name"], market="SE", country="IN").reason == "undeclared-country"


def test_somebody_nobody_knows_is_a_no(lofte):
    assert lofte.may_use("customer", ["name"], person=Person.of(uuid4())).reason == "unknown-person"
    assert not lofte.may_send("newsletter", ["email"], person=Person.by("email", "nobody@example.se"))


def test_what_is_no_question_is_told_so(lofte):
    with pytest.raises(BadQuestion) as bad:
        lofte.may_use("customer", [])
    assert (bad.value.status, bad.value.code) == (422, "api.unfit")


def test_a_token_that_is_wrong_or_narrow_is_told_so(installation, token_of):
    with pytest.raises(Unauthorised) as wrong:
        Lofte(installation[0], "lofte_wrong").may_use("customer", ["name"])
    narrow = Lofte(installation[0], token_of("shop", "decide:use"))
    with pytest.raises(OutOfScope, match="decide:send"):
        narrow.may_send("newsletter", ["email"])

    assert wrong.value.status == 401
    assert narrow.may_use("customer", ["name"])


def test_a_token_that_asks_too_often_is_told_when_to_come_back(installation, token_of):
    slow = Lofte(installation[0], token_of("slow", "decide:use", rate=1))
    slow.may_use("customer", ["name"])

    with pytest.raises(TooOften) as often:
        slow.may_use("customer", ["name"])
    assert often.value.retry_after_s == 60


def test_a_revoked_token_opens_nothing_more(installation, token_of):
    gone = Lofte(installation[0], token_of("gone", "decide:use"))
    assert gone.may_use("customer", ["name"])

    run(installation[1], "token", "revoke", "gone")

    with pytest.raises(Unauthorised):
        gone.may_use("customer", ["name"])


# Without an installation


def test_no_connection_is_no_answer():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(Unavailable, match="not reached"):
        Lofte(f"http://127.0.0.1:{port}", "lofte_x", timeout_s=2).may_use("customer", ["name"])


WHOLE = {
    "allowed": True, "reason": "declared", "said": "", "promise": "", "promised": "", "law": "", "evidence": 1, "policy": "",
    "at": "2026-11-22T12:00:00Z",
}  # fmt: skip
STRANGE = {
    "not JSON": (200, b"<html>yes"),
    "a list": (200, b"[true]"),
    "no word on whether": (200, json.dumps({**WHOLE, "allowed": None}).encode()),
    "a yes in words": (200, json.dumps({**WHOLE, "allowed": "false"}).encode()),
    "no evidence": (200, json.dumps({key: each for key, each in WHOLE.items() if key != "evidence"}).encode()),
    "far too much": (200, b" " * 70_000 + json.dumps(WHOLE).encode()),
    "elsewhere": (302, b""),
    "an error in HTML": (502, b"<html>bad gateway"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_whatever_is_not_a_whole_answer_is_not_a_yes(case):
    status, body = STRANGE[case]

    class Strange(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "https://elsewhere.example/api/decide")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Strange) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with pytest.raises(Unavailable):
            Lofte(f"http://127.0.0.1:{server.server_port}", "lofte_x").may_use("customer", ["name"])


@pytest.mark.parametrize("address", ["http://lofte.example", "ftp://localhost", "lofte.example", ""])
def test_a_token_is_not_sent_in_the_clear(address):
    with pytest.raises(ValueError):
        Lofte(address, "lofte_x")


def test_a_person_says_nothing_of_themself_in_a_log():
    assert "astrid" not in repr(Person.by("email", "astrid@example.se"))
