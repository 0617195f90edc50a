"""How far the latest cases are from those the model was made with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric

from triage.result import TriageResult

RECENT = 1_000
ENOUGH = 100
_LABELS, _CASES, _UNKNOWN = "triage_recent_labels", "triage_recent_cases", "triage_recent_unknown_words"


class Recent:
    """The last cases of this worker, in gauges that add up over workers."""

    def __init__(self, registry: CollectorRegistry):
        about = f"Among the last {RECENT} cases of every worker:"
        self._labels = _gauge(_LABELS, f"{about} those given this label.", registry, "head", "label")
        self._cases = _gauge(_CASES, f"{about} how many there are.", registry)
        self._unknown = _gauge(_UNKNOWN, f"{about} sum of their shares of unknown words.", registry)
        self._window: deque[tuple[dict[str, list[str]], float]] = deque()

    def add(self, result: TriageResult) -> None:
        """Count a case, and forget the oldest one when there are too many."""
        self._window.append((result.codes, result.unknown_words))
        self._shift(*self._window[-1], 1)
        if len(self._window) > RECENT:
            self._shift(*self._window.popleft(), -1)

    def _shift(self, labels: dict[str, list[str]], unknown: float, step: int) -> None:
        self._cases.inc(step)
        self._unknown.inc(step * unknown)
        for head, codes in labels.items():
            for code in codes:
                self._labels.labels(head, code).inc(step)


def drift(families: Iterable[Metric], profile: Mapping[str, Any] | None) -> Iterator[Metric]:
    """Largest change of a label's share for each head, and the change of the share of unknown words.

    Nothing without a profile, or while fewer than `ENOUGH` cases are known.
    """
    samples = {family.name: family.samples for family in families}
    cases = sum(sample.value for sample in samples.get(_CASES, ()))
    if profile is None or cases < ENOUGH:
        return
    shares = {(one.labels["head"], one.labels["label"]): one.value / cases for one in samples.get(_LABELS, ())}
    labels = GaugeMetricFamily(
        "triage_label_drift", "Largest change of a label's share against the training profile.", labels=["head"]
    )
    for head, expected in profile["labels"].items():
        given = {code: share for (name, code), share in shares.items() if name == head}
        codes = given.keys() | expected.keys()
        labels.add_metric([head], max((abs(given.get(c, 0.0) - expected.get(c, 0.0)) for c in codes), default=0.0))
    yield labels
    unknown = sum(sample.value for sample in samples.get(_UNKNOWN, ())) / cases
    yield GaugeMetricFamily(
        "triage_unknown_words_drift",
        "Change of the mean share of unknown words against the training profile.",
        unknown - profile["unknown_words"],
    )


def _gauge(name: str, about: str, registry: CollectorRegistry, *labels: str) -> Gauge:
    return Gauge(name, about, labels, multiprocess_mode="livesum", registry=registry)
