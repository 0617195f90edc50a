"""What Prometheus is told. With several workers every value is kept in files that all of them can add up."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from api.drift import Recent, drift
from triage.result import HeadResult, RowError, TriageResult

WORKERS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name; read when it is imported
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_SCORES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_CASES = (1, 2, 4, 8, 16, 32, 64, 128)
_NAMES = ("name", "version", "taxonomy", "policy", "lexicon")


class Metrics:
    """The counts of one process."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        self._requests = Counter("triage_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        self._request_seconds = Histogram(
            "triage_request_seconds", "From request to answer.", ["route"], buckets=_SECONDS, registry=own
        )
        self._stage_seconds = Histogram(
            "triage_stage_seconds",
            "Stages of the pipeline; `queue` is the wait of a case, `classify` one call for a whole batch.",
            ["stage"],
            buckets=_SECONDS,
            registry=own,
        )
        self._queue = Gauge(
            "triage_queue_characters", "Characters that wait or run.", multiprocess_mode="livesum", registry=own
        )
        self._batch = Histogram("triage_batch_cases", "Cases in one call.", buckets=_CASES, registry=own)
        self._failed = Counter("triage_failed_cases", "Cases that could not be triaged.", ["code"], registry=own)
        self._labels = Counter("triage_labels", "Labels given.", ["head", "label"], registry=own)
        self._scores = Histogram("triage_score", "Scores of the labels given.", ["head"], buckets=_SCORES, registry=own)
        self._unknown = Histogram(
            "triage_unknown_words", "Share of unknown words in a case.", buckets=_SHARES, registry=own
        )
        self._reviews = Counter("triage_reviews", "Cases that a person should look at.", registry=own)
        self._reloads = Counter("triage_reloads", "Attempts to take over another model.", ["outcome"], registry=own)
        self._recent = Recent(own)

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._requests.labels(method, route, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def queued(self, characters: int) -> None:
        """So much waits or runs now."""
        self._queue.set(characters)

    def called(self, waited: Sequence[float]) -> None:
        """One call of the model begins; seconds that each of its cases waited."""
        self._batch.observe(len(waited))
        for seconds in waited:
            self.stage("queue", seconds)

    def stage(self, name: str, seconds: float) -> None:
        """A stage of the pipeline took so long."""
        self._stage_seconds.labels(name).observe(seconds)

    def answered(self, answers: Iterable[TriageResult | RowError]) -> None:
        """Answers that go out."""
        for answer in answers:
            if isinstance(answer, RowError):
                self._failed.labels(answer.code).inc()
            else:
                self._count(answer)

    def reloaded(self, outcome: str) -> None:
        """`done` or `refused`."""
        self._reloads.labels(outcome).inc()

    def render(self, info: Mapping[str, Any]) -> bytes:
        """The text that Prometheus reads. `info` is that of the triager."""
        return generate_latest(_Page(self._families(), info))

    def _count(self, result: TriageResult) -> None:
        for head, codes in result.codes.items():
            for code in codes:
                self._labels.labels(head, code).inc()
            answer = result.heads[head]
            for one in (answer,) if isinstance(answer, HeadResult) else answer:
                self._scores.labels(head).observe(one.score)
        self._unknown.observe(result.unknown_words)
        self._reviews.inc(bool(result.review_reasons))
        self._recent.add(result)

    def _families(self) -> list[Metric]:
        collector = MultiProcessCollector(None) if WORKERS_FOLDER in os.environ else self._registry
        return list(collector.collect())


class _Page:
    """What was counted, and what follows from it and from the model."""

    def __init__(self, families: list[Metric], info: Mapping[str, Any]):
        self._families = families
        self._info = info

    def collect(self) -> Iterator[Metric]:
        yield from self._families
        yield from drift(self._families, self._info.get("metrics", {}).get("profile"))
        model = GaugeMetricFamily("triage_model", "The model that answers.", labels=_NAMES)
        model.add_metric([str(self._info.get(name, "")) for name in _NAMES], 1)
        yield model
