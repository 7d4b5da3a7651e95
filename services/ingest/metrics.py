"""What ingest counts, for Prometheus. Feeds are labels; there are as many as are registered."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from schemas.feed import BatchHeader, Receipt


class Metrics:
    """Counters on a registry of their own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._batches = self._counter("batches", "Receipts given, duplicates apart", ("feed", "outcome"))
        self._records = self._counter("records", "Records accepted and rejected", ("feed", "outcome"))
        self._bytes = self._counter("bytes", "Bytes of the batches read", ("feed", "format"))
        self._missing = self._counter("missing_batches", "Sequence numbers skipped when seen", ("feed",))
        self._errors = self._counter("errors", "Requests and messages that got no receipt", ("code",))
        self._changes = self._counter("registry_records", "Registry records by outcome", ("outcome",))
        self._balances = self._counter("balances", "Statements of balances by outcome", ("feed", "outcome"))
        self._seen = Gauge(
            "lookthrough_ingest_last_batch_timestamp_seconds",
            "When the feed's newest batch was received: a silent feed stands still",
            ("feed",),
            registry=self.registry,
        )
        self.direct_lag = Gauge(
            "lookthrough_ingest_direct_lag_messages",
            "Messages on the direct topics not yet taken",
            registry=self.registry,
        )

    def read(self, header: BatchHeader, size: int) -> None:
        self._bytes.labels(header.feed_id, header.format).inc(size)

    def receipt(self, receipt: Receipt) -> None:
        feed = receipt.feed_id
        if receipt.duplicate:
            self._batches.labels(feed, "duplicate").inc()
            return
        self._batches.labels(feed, receipt.status).inc()
        self._records.labels(feed, "accepted").inc(receipt.accepted)
        self._records.labels(feed, "rejected").inc(receipt.rejected)
        self.balances(feed, receipt.balances, receipt.balances_rejected)
        self._missing.labels(feed).inc(receipt.gap_before)
        self._seen.labels(feed).set(receipt.received_at / 1e6)

    def balances(self, feed: str, accepted: int, rejected: int) -> None:
        self._balances.labels(feed, "accepted").inc(accepted)
        self._balances.labels(feed, "rejected").inc(rejected)

    def error(self, code: str) -> None:
        self._errors.labels(code).inc()

    def changes(self, outcome: str, count: int) -> None:
        self._changes.labels(outcome).inc(count)

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"lookthrough_ingest_{name}", text, labels, registry=self.registry)
