"""The server's own way of answering an ordinary consent: seen from a socket it must be the application's way, only quicker."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from lofte.edge import serving
from lofte.edge.collect import Collector
from lofte.edge.serving import OneWrite, server_config

JSON = {"content-type": "application/json", "accept": "application/json"}


@contextmanager
def served(edge: Any, **config: Any) -> Iterator[int]:
    made = server_config(edge, "127.0.0.1", 0, **config)
    server = uvicorn.Server(made)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def wish(world):
    """A fresh decision each time, as the banner's script sends it."""

    def make(**changed: Any) -> bytes:
        publication = world.edge.shelf.current()
        token = world.edge.tokens.issue("SE", "sv", publication.digest, int(world.now.timestamp()))
        sent = {
            "token": token, "market": "SE", "locale": "sv", "publication": publication.digest,
            "wording": publication.published.wording("SE", "sv", "banner"), "action": "decide",
            "choices": {"statistics": True, "marketing": False},
        }  # fmt: skip
        return json.dumps(sent | changed).encode()

    return make


@pytest.fixture
def taken(monkeypatch):
    """How often a request was taken at once."""
    counts = {True: 0, False: 0}
    take = OneWrite._takes

    def counted(self, cycle):
        is_taken = take(self, cycle)
        counts[is_taken] += 1
        return is_taken

    monkeypatch.setattr(OneWrite, "_takes", counted)
    return counts


def post(port, body, headers=JSON, connection=None):
    asked = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    asked.request("POST", "/lofte/consent", body, dict(headers))
    answer = asked.getresponse()
    said = answer.read()
    if connection is None:
        asked.close()
    return answer, said


def shape(answer, body):
    """What may not differ between the two ways: status, headers without what each answer has of its own, the form of the body."""
    own = {"date", "content-length", "set-cookie", "connection"}
    names = sorted((name.lower(), value) for name, value in answer.getheaders() if name.lower() not in own)
    cookies = [value.partition(";")[2] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    return answer.status, names, cookies, sorted(json.loads(body))


def test_an_ordinary_consent_is_taken_at_once_and_durable_before_its_answer(world, wish, taken):
    with served(world.edge) as port:
        answer, body = post(port, wish())
        said = json.loads(body)
        assert answer.status == 201
        assert (
            world.log.opened(said["index"]).fact
            == json.dumps(said["fact"]["payload"], separators=(",", ":"), sort_keys=True).encode()
        )
    assert taken == {True: 1, False: 0}


def test_both_ways_give_the_same_answer(world, wish, taken, monkeypatch):
    with served(world.edge) as port:
        quick = shape(*post(port, wish()))
        monkeypatch.setattr(Collector, "at_once", lambda *_: False)
        assert shape(*post(port, wish())) == quick
    assert taken == {True: 1, False: 1}


def test_one_connection_serves_many(world, wish, taken):
    with served(world.edge) as port:
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        entries = [json.loads(post(port, wish(), connection=one)[1])["index"] for _ in range(5)]
        one.close()
    assert entries == sorted(set(entries))
    assert taken[True] == 5


def test_a_body_that_comes_just_after_its_head_is_taken_at_once(world, wish, taken):
    body = wish()
    with served(world.edge) as port, socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(head(len(body)))
        time.sleep(0.05)
        line.sendall(body)
        [answer] = read_until(line, count=1)
    assert json.loads(answer)["lofte"] == "acknowledgement/1"
    assert taken == {True: 1, False: 0}


def test_a_body_that_is_slow_to_come_is_taken_the_usual_way(world, wish, taken, monkeypatch):
    monkeypatch.setattr(serving, "_PATIENCE_S", 0.01)
    body = wish()
    with served(world.edge) as port, socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(head(len(body)) + body[:40])
        time.sleep(0.1)
        line.sendall(body[40:])
        [answer] = read_until(line, count=1)
    assert json.loads(answer)["lofte"] == "acknowledgement/1"
    assert taken == {True: 0, False: 0}


def test_two_requests_sent_at_once_are_answered_in_order(world, wish, taken):
    first, second = wish(), wish(choices={})
    with served(world.edge) as port, socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(head(len(first)) + first + head(len(second)) + second)
        answers = read_until(line, count=2)
    choices = [json.loads(part)["fact"]["payload"]["choices"]["statistics"] for part in answers]
    assert choices == [True, False]


def test_a_replay_gets_the_first_acknowledgement(world, wish, taken):
    body = wish()
    with served(world.edge) as port:
        first, again = json.loads(post(port, body)[1]), json.loads(post(port, body)[1])
    assert (first["index"], first["fact"]) == (again["index"], again["fact"])
    assert world.log.size() == 1


def test_a_mind_changed_and_changed_back_is_three_facts(world, wish):
    yes = wish()
    no = json.dumps(json.loads(yes) | {"choices": {}}).encode()
    with served(world.edge) as port:
        entries, cookie = [], ""
        for body in (yes, no, yes):
            answer, said = post(port, body, JSON | ({"cookie": cookie} if cookie else {}))
            cookie = answer.getheader("set-cookie").partition(";")[0]
            entries.append(json.loads(said)["index"])
    assert entries == [0, 1, 2]


@pytest.mark.parametrize(
    "changed", [{"market": "XX"}, {"token": "v1.forged"}, {"wording": "0" * 64}, {"choices": {"profiling": True}}]
)
def test_what_is_refused_is_refused_alike(world, wish, monkeypatch, changed):
    with served(world.edge) as port:
        quick, document = post(port, wish(**changed))
        monkeypatch.setattr(OneWrite, "_takes", lambda *_: False)
        usual, other = post(port, wish(**changed))
    assert (quick.status, json.loads(document)["reason"]) == (usual.status, json.loads(other)["reason"])
    assert quick.status >= 400
    assert world.log.size() == 0


def test_a_refused_decision_costs_one_of_the_clients_tries(world, wish):
    world.restart_edge(consent_rate_per_s=0.001, consent_burst=2)
    with served(world.edge) as port:
        statuses = [post(port, wish(wording="0" * 64))[0].status for _ in range(3)]
    assert statuses == [409, 409, 429]


def test_who_prefers_the_whole_receipt_is_asked_the_usual_way(world, wish, taken):
    with served(world.edge) as port:
        answer, body = post(port, wish(), JSON | {"prefer": "return=representation"})
    assert answer.status == 201
    assert json.loads(body)["lofte"] == "receipt/1"
    assert taken == {True: 0, False: 1}


def test_who_asks_to_close_is_closed_after_the_answer(world, wish, taken):
    with served(world.edge) as port:
        answer, _ = post(port, wish(), JSON | {"connection": "close"})
    assert answer.getheader("connection") == "close"
    assert taken[True] == 1


def test_behind_a_proxy_the_forwarded_scheme_makes_the_cookie_secure(world, wish, taken):
    forwarded = JSON | {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
    with served(world.edge, behind_proxy="127.0.0.1") as port:
        behind = post(port, wish(), forwarded)[0].getheader("set-cookie")
    with served(world.edge) as port:
        straight = post(port, wish(), forwarded)[0].getheader("set-cookie")
    assert "; Secure" in behind
    assert "; Secure" not in straight
    assert taken[True] == 2


def test_behind_a_proxy_each_forwarded_address_has_its_own_tries(world, wish):
    world.restart_edge(consent_rate_per_s=0.001, consent_burst=1)
    with served(world.edge, behind_proxy="127.0.0.1") as port:
        statuses = [
            post(port, wish(), JSON | {"x-forwarded-for": address})[0].status
            for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1")
        ]
    assert statuses == [201, 201, 429]


def test_a_client_that_left_is_recorded_and_harms_nobody(world, wish, caplog):
    body = wish()
    with served(world.edge) as port:
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(head(len(body)) + body)
        assert post(port, wish())[0].status == 201
    assert world.log.size() == 2
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


def test_a_log_that_refuses_is_said_as_ever(world, wish, taken):
    with served(world.edge) as port:
        world.log.close()
        answer, body = post(port, wish())
    assert answer.status == 503
    assert json.loads(body)["reason"] in ("read-only", "overloaded")


def test_a_fault_while_answering_leaves_nobody_waiting(world, wish, monkeypatch):
    def faulty(*_: Any) -> bytes:
        raise RuntimeError("no receipt today")

    monkeypatch.setattr(Collector, "_receipt", faulty)
    with served(world.edge) as port:
        assert post(port, wish())[0].status == 500


def test_each_answer_at_once_is_counted_like_any_other(world, wish):
    with served(world.edge) as port:
        post(port, wish())
    text = world.edge.metrics.exposition()[0].decode()
    assert 'lofte_edge_requests_total{route="consent",status="2xx"} 1.0' in text
    assert 'lofte_consents_total{action="decide",market="SE"} 1.0' in text


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(world, wish, monkeypatch):
    monkeypatch.setattr(serving, "_KEEP_ALIVE_S", 1)
    with served(world.edge) as port:
        busy = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(4):  # for longer than an idle connection lives
            assert post(port, wish(), connection=busy)[0].status == 201
            time.sleep(0.4)
        assert busy.sock is not None
        busy.sock.settimeout(10)
        assert busy.sock.recv(1) == b""
        busy.close()


def head(length: int) -> bytes:
    lines = ["POST /lofte/consent HTTP/1.1", "host: a", "content-type: application/json", f"content-length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def read_until(line: socket.socket, count: int) -> list[bytes]:
    """The bodies of so many answers."""
    bodies = []
    with line.makefile("rb") as reader:
        for _ in range(count):
            length = 0
            while (header := reader.readline().rstrip().lower()) != b"":
                name, _, value = header.partition(b": ")
                length = int(value) if name == b"content-length" else length
            bodies.append(reader.read(length))
    return bodies
