import asyncio
import json
import logging

import pytest

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.edge.desk import Desk, Overloaded
from lofte.evidence.log import Draft, Log
from lofte.kernel.problems import Problem

REPORT = {"csp-report": {"document-uri": "https://x.example/se/?email=a@b.se", "blocked-uri": "https://ads.example/p.js?u=1",
                         "violated-directive": "script-src-elem"}}  # fmt: skip
NEWER = [
    {
        "type": "csp-violation",
        "body": {
            "documentURL": "https://x.example/no/",
            "blockedURL": "https://px.example/",
            "effectiveDirective": "img-src",
        },
    }
]


def report(world, body, kind="application/csp-report"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return world.ask("POST", "/lofte/csp-report", {"content-type": kind}, content)


def test_the_process_is_alive_and_ready(world):
    assert world.get("/healthz").json == {"status": "ok"}
    assert world.get("/readyz").json["checks"] == {
        "log_writable": True, "publication_loaded": True, "queue_has_room": True,
    }  # fmt: skip


def test_without_a_publication_it_is_alive_and_not_ready(world):
    (world.home / "published" / "current").unlink()
    world.restart_edge()

    assert world.get("/healthz").status == 200
    assert (world.get("/readyz").status, world.get("/readyz").json["checks"]["publication_loaded"]) == (503, False)
    assert world.get("/lofte/policy/se/sv/").status == 503
    assert world.decide(b"{}").status in (400, 503)


def test_a_log_that_only_reads_acknowledges_nothing(world, monkeypatch):
    monkeypatch.setattr(Log, "is_read_only", lambda self: True)
    answer = world.decide()

    assert (answer.status, answer.json["reason"]) == (503, "read-only")
    assert answer.header("retry-after") == "5"
    assert answer.cookies() == []
    assert world.get("/readyz").status == 503
    assert world.count("lofte_log_writable") == 0


def test_a_log_that_fails_under_way_acknowledges_nothing(world, monkeypatch):
    def fail(self, drafts, deliver, tickets):
        deliver([(ticket, Problem("evidence.read-only", "no", status=503)) for ticket in tickets])

    monkeypatch.setattr(Log, "append_many", fail)
    answer = world.decide()

    assert (answer.status, answer.cookies()) == (503, [])


def test_a_full_queue_says_come_back(world):
    world.restart_edge(longest_queue=0)
    answer = world.decide()

    assert (answer.status, answer.json["reason"], answer.header("retry-after")) == (503, "overloaded", "5")
    assert world.count("lofte_consents_refused_total", reason="overloaded") == 1


def test_a_disk_that_hangs_does_not_hold_the_browser_for_ever(world, monkeypatch):
    monkeypatch.setattr("lofte.edge.desk._LONGEST_WAIT_S", 0.0)
    monkeypatch.setattr(Log, "append_many", lambda *_: None)

    assert world.decide().json["reason"] == "overloaded"


def test_one_draft_that_is_refused_does_not_take_others_with_it(world):
    good = Draft("consent", b"{}", b'{"subject":"x"}', "", "good")

    async def both():
        desk = Desk(world.log, 10)
        asked = [desk.append(each) for each in (good, good._replace(fact=b"{ }", key="bad"))]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        desk.close()
        return answers

    written, refused = asyncio.run(both())
    assert written.committed.index == 0
    assert refused.code == "evidence.malformed-draft"


def test_a_late_answer_of_the_log_harms_nobody(world):
    async def run():
        desk = Desk(world.log, 10)
        draft = Draft("consent", b"{}", None, "", "late")
        future = desk.append(draft)
        future.cancel()
        await asyncio.sleep(0.2)
        again = await desk.append(draft)
        desk.close()
        return again

    written = asyncio.run(run())

    assert (written.committed.index, written.is_new) == (0, False)


def test_the_desk_bounds_what_waits(world):
    async def run():
        desk = Desk(world.log, 2)
        drafts = [Draft("consent", b"{}", None, "", f"key {number}") for number in range(3)]
        kept = [desk.append(draft) for draft in drafts[:2]]
        with pytest.raises(Overloaded):
            desk.append(drafts[2])
        await asyncio.gather(*kept)
        desk.close()

    asyncio.run(run())

    assert world.log.size() == 2


def test_metrics_are_for_those_with_the_token(world):
    world.restart_edge(metrics_token="s3cret")

    assert world.get("/metrics").status == 401
    assert world.get("/metrics", {"authorization": "Bearer s3cret"}).status == 200


def test_metrics_count_answers_by_route(world):
    world.decide()
    world.get("/lofte/policy/se/sv/")
    world.get("/lofte/nonsense")

    assert world.count("lofte_edge_requests_total", route="consent", status="2xx") == 1
    assert world.count("lofte_edge_requests_total", route="policy", status="2xx") == 1
    assert world.count("lofte_edge_requests_total", route="unknown", status="4xx") == 1
    assert world.count("lofte_log_entries") == 1
    assert world.count("lofte_publication_info", version="2023-01", digest=world.digest[:16]) == 1


def test_the_access_log_tells_routes_and_no_more(world, caplog):
    world.restart_edge(writes_access_log=True)
    with caplog.at_level(logging.INFO, "lofte.edge.access"):
        world.get("/lofte/receipt/0?code=secret")
    line = json.loads(caplog.messages[0])

    assert (line["method"], line["route"], line["status"]) == ("GET", "receipt", 404)
    assert "secret" not in caplog.text
    assert "192.0.2.7" not in caplog.text


def test_a_fault_of_ours_is_told_without_its_message(world, caplog, monkeypatch):
    monkeypatch.setattr(Log, "checkpoint", lambda self: 1 / 0)
    answer = world.get("/lofte/log/checkpoint")

    assert answer.status == 500
    assert "division" not in answer.text + caplog.text
    [line] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert line.fields == {"error": "ZeroDivisionError", "route": "log"}


# What browsers report


def test_a_report_keeps_host_directive_and_path(world):
    assert report(world, REPORT).status == 204
    assert report(world, NEWER, "application/reports+json").status == 204
    assert world.reports == [("ads.example", "script-src-elem", "/se/"), ("px.example", "img-src", "/no/")]
    assert world.count("lofte_csp_reports_total", host="ads.example") == 1


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b'{"csp-report":1}', b"[" * 9000])
def test_a_report_that_is_none_is_refused(world, body):
    assert report(world, body).status == 400
    assert world.reports == []


def test_a_huge_report_is_refused(world):
    assert report(world, b" " * 70_000).status == 413


def test_made_up_hosts_do_not_fill_the_memory(world):
    world.restart_edge(report_burst=10_000)
    for number in range(300):
        report(world, {"csp-report": REPORT["csp-report"] | {"blocked-uri": f"https://h{number}.example/"}})

    assert world.count("lofte_csp_reports_total", host="other") >= 99
    assert world.count("lofte_csp_reports_total", host="h299.example") == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_reports_are_posted(world, method):
    answer = world.ask(method, "/lofte/csp-report")

    assert (answer.status, answer.header("allow")) == (405, "POST, OPTIONS")


def test_reports_too_often_have_to_wait(world):
    world.restart_edge(report_burst=1, report_rate_per_s=0.01)

    assert [report(world, REPORT).status for _ in range(2)] == [204, 429]


# Whose address is whose


@pytest.mark.parametrize(
    ("path", "who"),
    [("/", "site"), ("/se/", "site"), ("/lofte", "site"), ("/loftet/", "site"), ("/console/", "django"), ("/console", "django"),
     ("/consoles/", "site"), ("/my/se/sv/", "django"), ("/static/x.css", "django"), ("/.well-known/security.txt", "site")],
)  # fmt: skip
def test_every_path_has_one_owner(world, path, who):
    world.get(path)

    assert world.site_calls == [f"{who} {path}"]


def test_without_django_its_paths_are_the_sites(world):
    world.edge = Edge(EdgeConfig(home=world.home), world.log, world._site("site"))

    assert world.get("/console/").text == "site"


# The life of the process


def lifespan(app):
    async def run():
        sent = []
        incoming = ["lifespan.startup", "lifespan.shutdown"]

        async def receive():
            return {"type": incoming.pop(0)}

        async def send(message):
            sent.append(message["type"])

        await app({"type": "lifespan"}, receive, send)
        return sent

    return asyncio.run(run())


def test_a_site_without_lifespan_is_started_and_stopped_for_it(world):
    assert lifespan(world.edge) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_the_sites_own_lifespan_passes_through(world):
    told = []

    async def site(scope, receive, send):
        for name in ("startup", "shutdown"):
            told.append((await receive())["type"])
            await send({"type": f"lifespan.{name}.complete"})

    edge = Edge(EdgeConfig(home=world.home), world.log, site)

    assert lifespan(edge) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert told == ["lifespan.startup", "lifespan.shutdown"]
