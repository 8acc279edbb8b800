"""What the edge counts, by the standard Prometheus client. No label names a person, an address or a page."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from lofte.edge.refusals import Refusal

_MOST_HOSTS = 200  # a page may be made to report any host: past this many they are counted together


class Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        consents = Counter(
            "lofte_consents", "Decisions made durable and acknowledged", ["market", "action"], registry=registry
        )
        self._consents = consents
        refused = Counter(
            "lofte_consents_refused", "Decisions not honoured, by reason (a closed set)", ["reason"], registry=registry
        )
        self._refused = {reason: refused.labels(reason.value) for reason in Refusal}
        self._requests = Counter(
            "lofte_edge_requests", "Answers by route and class of status", ["route", "status"], registry=registry
        )
        self.consent_seconds = Histogram(
            "lofte_consent_seconds",
            "From the request to the durable acknowledgement",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=registry,
        )
        self._reports = Counter(
            "lofte_csp_reports", "What browsers held back, by host of the resource", ["host"], registry=registry
        )
        self.log_size = Gauge("lofte_log_entries", "Entries in the evidence log", registry=registry)
        self.log_writable = Gauge("lofte_log_writable", "1 while the evidence log accepts entries", registry=registry)
        self.waiting = Gauge("lofte_consents_waiting", "Decisions waiting for the disk", registry=registry)
        self.publication = Gauge(
            "lofte_publication_info", "The publication in force", ["version", "digest"], registry=registry
        )
        self._children: dict[tuple[str, str], Counter] = {}
        self._answers: dict[tuple[str, int], Counter] = {}
        self._hosts: set[str] = set()

    def consent(self, market: str, action: str) -> None:
        child = self._children.get((market, action))
        if child is None:
            child = self._children[market, action] = self._consents.labels(market, action)
        child.inc()

    def refused(self, reason: Refusal) -> None:
        self._refused[reason].inc()

    def request(self, route: str, status: int) -> None:
        child = self._answers.get((route, status))
        if child is None:
            child = self._answers[route, status] = self._requests.labels(route, f"{status // 100}xx")
        child.inc()

    def report(self, host: str) -> None:
        if host not in self._hosts:
            if len(self._hosts) >= _MOST_HOSTS:
                host = "other"
            self._hosts.add(host)
        self._reports.labels(host).inc()

    def exposition(self) -> tuple[bytes, str]:
        """The text Prometheus scrapes, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4
