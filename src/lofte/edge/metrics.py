"""What the edge counts, for the standard Prometheus client. No label names a person, an address or a page.

The counts are plain numbers, written by the loop's thread alone and turned into metrics when somebody scrapes: the client's
own counters lock at every step, a twentieth of what a consent may cost.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from lofte.edge.refusals import Refusal

_MOST_HOSTS = 200  # a page may be made to report any host: past this many they are counted together
_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._consents: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[Refusal] = Counter(dict.fromkeys(Refusal, 0))
        self._answers: Counter[tuple[str, int]] = Counter()
        self._reports: Counter[str] = Counter()
        self._times = [0] * (len(_BOUNDS_S) + 1)
        self._seconds = 0.0
        self.log_size = Gauge("lofte_log_entries", "Entries in the evidence log", registry=registry)
        self.log_writable = Gauge("lofte_log_writable", "1 while the evidence log accepts entries", registry=registry)
        self.waiting = Gauge("lofte_consents_waiting", "Decisions waiting for the disk", registry=registry)
        self.publication = Gauge(
            "lofte_publication_info", "The publication in force", ["version", "digest"], registry=registry
        )
        registry.register(self)

    def consent(self, market: str, action: str, seconds: float) -> None:
        """One decision on disk and acknowledged, and how long that took."""
        self._consents[market, action] += 1
        self._times[bisect_left(_BOUNDS_S, seconds)] += 1
        self._seconds += seconds

    def refused(self, reason: Refusal) -> None:
        self._refused[reason] += 1

    def request(self, route: str, status: int) -> None:
        self._answers[route, status // 100] += 1

    def report(self, host: str) -> None:
        is_new = host not in self._reports
        self._reports["other" if is_new and len(self._reports) >= _MOST_HOSTS else host] += 1

    def exposition(self) -> tuple[bytes, str]:
        """The text Prometheus scrapes, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        yield _counts(
            "lofte_consents", "Decisions made durable and acknowledged", ["market", "action"],
            {(market, action): count for (market, action), count in self._consents.items()},
        )  # fmt: skip
        yield _counts(
            "lofte_consents_refused", "Decisions not honoured, by reason (a closed set)", ["reason"],
            {(reason.value,): count for reason, count in self._refused.items()},
        )  # fmt: skip
        yield _counts(
            "lofte_edge_requests", "Answers by route and class of status", ["route", "status"],
            {(route, f"{hundred}xx"): count for (route, hundred), count in self._answers.items()},
        )  # fmt: skip
        yield _counts(
            "lofte_csp_reports", "What browsers held back, by host of the resource", ["host"],
            {(host,): count for host, count in self._reports.items()},
        )  # fmt: skip
        yield self._histogram()

    def _histogram(self) -> Metric:
        found = HistogramMetricFamily("lofte_consent_seconds", "From the request to the durable acknowledgement")
        buckets, total = [], 0
        for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), self._times, strict=True):
            total += count
            buckets.append((bound, float(total)))
        found.add_metric([], buckets, self._seconds)
        return found


def _counts(name: str, what: str, labels: list[str], counts: dict[tuple[str, ...], int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family
