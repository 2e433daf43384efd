"""The measurements of the server, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TOKENS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """Counters and histograms of one server; implements batching.Observer."""

    def __init__(self) -> None:
        """Register the metrics."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        self.requests = Counter("compactlm_requests", "Requests that were answered.", ["route", "status"], registry=registry)
        self.rejections = Counter(
            "compactlm_rejections", "Requests that were refused before inference.", ["route", "reason"], registry=registry
        )
        self.seconds = Histogram(
            "compactlm_request_seconds", "Time from the request's headers to its answer.", ["route"], buckets=SECONDS, registry=registry
        )
        # To look up labels takes longer than to count.
        self._of_answers: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._of_callers: dict[str, Histogram] = {}
        self.in_flight = Gauge("compactlm_requests_in_flight", "Requests that are being handled.", registry=registry)
        self.queued_tokens = Gauge("compactlm_queued_tokens", "Tokens that wait or run.", registry=registry)
        self.queue = Histogram("compactlm_queue_seconds", "Time of a request in the queue.", ["route"], buckets=SECONDS, registry=registry)
        self.batch_tokens = Histogram(
            "compactlm_batch_tokens", "Tokens of a batch, without padding.", ["route"], buckets=TOKENS, registry=registry
        )
        self.batch_texts = Counter("compactlm_batch_texts", "Texts that were computed.", ["route"], registry=registry)
        self.inference = Histogram(
            "compactlm_inference_seconds", "Time of the computation of a batch.", ["route"], buckets=SECONDS, registry=registry
        )

        self.shadow_answers = Counter(
            "compactlm_shadow_answers", "Texts by the label that was sent and the shadow's.", ["task", "label", "shadow"], registry=registry
        )
        self.shadow_agreement = Gauge("compactlm_shadow_agreement", "Share of texts with the same label.", ["task"], registry=registry)
        self.shadow_seconds = Histogram(
            "compactlm_shadow_seconds", "Time of the shadow's answer to a request.", ["task"], buckets=SECONDS, registry=registry
        )
        self.shadow_skipped = Counter(
            "compactlm_shadow_skipped", "Texts that the shadow did not answer.", ["task", "reason"], registry=registry
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Record the answer to a request, and the time that it took."""
        found = self._of_answers.get((route, status))
        if found is None:
            found = self._of_answers[route, status] = self.requests.labels(route, str(status)), self.seconds.labels(route)
        found[0].inc()
        found[1].observe(seconds)

    def batch(self, lane: str, items: int, tokens: int, seconds: float) -> None:
        """Record a batch; see batching.Observer."""
        route = _route(lane)
        self.batch_tokens.labels(route).observe(tokens)
        self.batch_texts.labels(route).inc(items)
        self.inference.labels(route).observe(seconds)

    def waited(self, caller: str, seconds: float) -> None:
        """Record a time in the queue; see batching.Observer."""
        found = self._of_callers.get(caller)
        if found is None:
            found = self._of_callers[caller] = self.queue.labels(caller)
        found.observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


def _route(lane: str) -> str:
    """Return the route of a lane: the lane "/predict sentiment" is part of /predict."""
    return lane.partition(" ")[0]
