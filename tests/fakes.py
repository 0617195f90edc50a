"""A triager that answers by key words: quick, without a model, and of the same shape as the real one."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from triage.case import Case
from triage.errors import StageError
from triage.policy import load_policy
from triage.result import Evidence, Handling, HeadResult, LabelScore, RowError, TriageResult
from triage.taxonomy import Head, Taxonomy, load_taxonomy

_SIGNALS = {"regulator_threat": "12315|12345|工信部", "contact_number": r"1[3-9]\d{9}", "resignation": "算了|行吧"}
_MODEL_WORDS = re.compile("太差|没人管|退款|态度")


class FakeTriager:
    """`boom` in the text makes a stage fail; everything else is decided by the words above."""

    def __init__(self, taxonomy: Taxonomy):
        self.taxonomy = taxonomy
        self.policy = load_policy()
        self.digest = "fake"
        self.artefact = SimpleNamespace(folder=Path("fake"))  # from where worker processes would load it
        self.info: dict[str, Any] = {
            "name": "fake",
            "version": "0.1",
            "taxonomy": taxonomy.id,
            "policy": "default-1",
            "signals": {"regulator_threat": "扬言找监管部门"},
            "lapses": {"cold": "态度生硬冷漠"},
            "costs": {"0": 0.0, "1": 1.0, "2": 4.0, "3": 20.0, "4": 60.0},
            "metrics": {"dev": {"complaint_type": 0.8125}},
        }

    def __call__(self, case: Case | str) -> TriageResult:
        case = Case.from_text(case) if isinstance(case, str) else case
        evidence = tuple(_evidence(case))
        kinds = {one.kind for one in evidence}
        tier = 3 if "regulator_threat" in kinds else int("model" in kinds)
        wanted = {
            "complaint_type": "service" if tier else "none",
            "risk_tier": tier,
            "dissatisfaction": "explicit" if tier else "unspoken" if "resignation" in kinds else "none",
            "escalation": "high" if tier == 3 else "low",
        }
        return TriageResult(
            case.id,
            {head.name: _answer(head, wanted.get(head.name), tier) for head in self.taxonomy.heads},
            evidence,
            tuple({"turn": said.turn, "dissatisfaction": 0.75} for said in case.utterances()),
            Handling(
                "投诉专席" if tier == 3 else "一线", "must_report" if tier == 3 else "keep", 30, ("先致歉", "专人跟进")
            ),
            ("low_confidence:risk_tier",) if tier == 1 else (),
            {"name": "fake", "version": "0.1", "taxonomy": self.taxonomy.id, "policy": "default-1"},
            agent_lapses=tuple(_lapses(case)),
        )

    def pipe(self, cases: Iterable[Case], batch_size: int = 64) -> Iterator[TriageResult | RowError]:
        assert batch_size >= 1
        for case in cases:
            if any("boom" in said.text for said in case.utterances()):
                yield RowError(case.id, StageError.code, str(StageError("encode", ValueError())))
            else:
                yield self(case)


def _evidence(case: Case) -> Iterator[Evidence]:
    for said in case.utterances():
        for kind, pattern in _SIGNALS.items():
            for found in re.finditer(pattern, said.text):
                start, end = (said.offset + place for place in found.span())
                yield Evidence(said.turn, start, end, found[0], kind, ("risk_tier", "escalation"), "signal")
        for found in _MODEL_WORDS.finditer(said.text):
            start, end = (said.offset + place for place in found.span())
            yield Evidence(said.turn, start, end, found[0], "model", ("complaint_type",), "model")


def _lapses(case: Case) -> Iterator[Evidence]:
    for said in case.utterances():
        if said.speaker == "agent" and (found := re.search("没办法", said.text)):
            start, end = (said.offset + place for place in found.span())
            yield Evidence(said.turn, start, end, found[0], "cold", (), "agent")


def _answer(head: Head, wanted: str | int | None, tier: int) -> HeadResult | tuple[LabelScore, ...]:
    if head.kind == "multi":
        return tuple(LabelScore(label.code, label.zh, 0.83) for label in head.labels[:tier])
    label = next((one for one in head.labels if one.code == wanted), head.labels[0])
    rest = 0.2 / (len(head.labels) - 1)
    scores = {str(one.code): 0.8 if one is label else rest for one in head.labels}
    return HeadResult(
        label.code, label.zh, 0.8, scores, ("regulator_threat",) if head.kind == "ordered" and tier == 3 else ()
    )


class GatedTriager(FakeTriager):
    """Answers only while its gate is open, and remembers the calls. `crash` in a text makes the whole call fail."""

    def __init__(self, taxonomy: Taxonomy):
        super().__init__(taxonomy)
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.calls: list[list[str]] = []

    def pipe(self, cases: Iterable[Case], batch_size: int = 64) -> Iterator[TriageResult | RowError]:
        cases = list(cases)
        self.calls.append([case.id for case in cases])
        self.entered.set()
        assert self.gate.wait(20)
        for case in cases:
            if "crash" in (case.text or ""):
                raise RuntimeError(case.text)
        yield from super().pipe(cases, batch_size)


class SlowTriager(FakeTriager):
    """As quick as a small model: a few milliseconds a case."""

    def __call__(self, case: Case | str) -> TriageResult:
        time.sleep(0.004)
        return super().__call__(case)


def load_slow() -> SlowTriager:
    """What a worker process loads in tests."""
    return SlowTriager(load_taxonomy())
