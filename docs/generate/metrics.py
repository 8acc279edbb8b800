"""metrics.md: what `/metrics` tells, read from the metrics themselves."""

from docs.generate.markdown import code, page, table
from prometheus_client import CollectorRegistry

from lofte.edge.metrics import Metrics

NAME = "metrics.md"

_LEAD = """`GET /metrics` answers in the Prometheus text format. No label holds a person, an address or the path of a
page. The page is open to whoever reaches the port: let only your own network reach it (`EdgeConfig.metrics_token`
asks for a bearer token where the edge is embedded)."""

_WATCH = """## What to watch

| when | it means |
| --- | --- |
| `lofte_log_writable` is 0 | a flush failed; until a restart has checked the log, decisions are refused with `read-only` |
| `lofte_consents_waiting` keeps growing | the disk is slower than the visitors |
| `lofte_consents_refused_total{reason="forged-token"}` rises | somebody tries to record decisions that no page of ours offered |
| `lofte_csp_reports_total` shows a new host | something undeclared: *Tags on the site* in the console |"""


def made() -> str:
    return page("Metrics", _LEAD, table(("metric", "type", "labels", "meaning"), rows()), _WATCH)


def rows() -> list[tuple[str, str, str, str]]:
    registry = CollectorRegistry()
    Metrics(registry)
    found = []
    for collector in dict.fromkeys(registry._collector_to_names):
        for metric in collector.collect():
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            labels = ", ".join(map(code, getattr(collector, "_labelnames", ()))) or "–"
            found.append((code(name), metric.type, labels, metric.documentation))
    return sorted(found)
