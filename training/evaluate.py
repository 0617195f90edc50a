"""How well answers agree with reference labels: per head, per slice, beside the baseline and the majority guess."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import metrics
from training.cases import LabelledCase
from triage.case import Case
from triage.policy import Policy
from triage.result import HeadResult, RowError
from triage.taxonomy import Code, Head, Taxonomy
from triage.triager import Triager

_LENGTHS = (50, 150, 400)
_THRESHOLD = 0.35
_FIRST_EVIDENCE = 3


@dataclass(frozen=True, slots=True)
class Answers:
    """What a system said: for each head the label of every case (codes for a multi-label head), and the probability
    it gave to that label (NaN for multi-label heads). `reviewed`: the cases sent to a person, None if it sends none."""

    labels: dict[str, list[Any]]
    confidence: dict[str, NDArray[np.float64]]
    reviewed: NDArray[np.bool_] | None = None


def in_labels(triager: Triager) -> Triager:
    """The same pipeline, answering in labels of its taxonomy where its policy gives grades of the organisation."""
    same = copy.copy(triager)
    same.policy = triager.policy.ungraded()
    return same


def answers_of_triager(triager: Triager, records: Sequence[LabelledCase]) -> Answers:
    """Answers of the whole pipeline, policy included, in labels."""
    labels: dict[str, list[Any]] = {head.name: [] for head in triager.taxonomy.heads}
    confidence: dict[str, list[float]] = {head.name: [] for head in triager.taxonomy.heads}
    reviewed = []
    for result in in_labels(triager).pipe(record.case for record in records):
        if isinstance(result, RowError):
            raise RuntimeError(f"case {result.id}: {result.detail}")
        reviewed.append(bool(result.review_reasons))
        for name, answer in result.heads.items():
            if isinstance(answer, HeadResult):
                labels[name].append(answer.label)
                confidence[name].append(answer.score)
            else:
                labels[name].append([one.label for one in answer])
                confidence[name].append(float("nan"))
    return Answers(labels, {name: np.array(values) for name, values in confidence.items()}, np.array(reviewed))


def answers_of_scores(taxonomy: Taxonomy, scores: Mapping[str, NDArray[np.float64]]) -> Answers:
    """The most probable label of each head, or all labels from 0.35 on of a multi-label head.

    `scores` has probabilities `[cases, labels]` for each head.
    """
    labels: dict[str, list[Any]] = {}
    confidence = {}
    for head in taxonomy.heads:
        table = scores[head.name]
        if head.kind == "multi":
            labels[head.name] = [[head.codes[i] for i in np.flatnonzero(row >= _THRESHOLD)] for row in table]
            confidence[head.name] = np.full(len(table), np.nan)
        else:
            labels[head.name] = [head.codes[i] for i in table.argmax(1)]
            confidence[head.name] = table.max(1)
    return Answers(labels, confidence)


def figures(
    taxonomy: Taxonomy,
    policy: Policy,
    records: Sequence[LabelledCase],
    answers: Answers,
    groups: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """All figures of one system on these records, by head.

    With `groups` `[records]` (`training.splits.kept_together`) also confusion matrices, reliability bins and intervals,
    over resampled groups.

    The tier head of the policy also has recall and precision of the labels that are severe by it.
    """
    found: dict[str, Any] = {}
    for head in taxonomy.heads:
        rows = [row for row, record in enumerate(records) if head.name in record.labels]
        wanted = [records[row].labels[head.name] for row in rows]
        given = [answers.labels[head.name][row] for row in rows]
        if head.kind == "multi":
            found[head.name] = {"micro_f1": metrics.multi_label_f1(head, wanted, given), "cases": len(rows)}
        else:
            confidence = answers.confidence[head.name][rows]
            found[head.name] = _single(head, wanted, given, confidence)
            if head.name == policy.tier_head:
                found[head.name] |= _severe(policy, wanted, given)
            if groups is not None:
                found[head.name] |= _detail(head, wanted, given, confidence, groups[rows])
    return found


def _single(head: Head, wanted: list[Code], given: list[Code], confidence: NDArray[np.float64]) -> dict[str, Any]:
    classes = metrics.per_class(head, wanted, given)
    positions = [np.array([head.index(code) for code in codes]) for codes in (wanted, given)]
    present = [row["f1"] for row in classes if row["support"]]
    return {
        "kappa": metrics.kappa(head, wanted, given),
        "macro_f1": float(np.mean(present)) if present else float("nan"),
        "calibration_error": metrics.calibration_error(confidence, positions[0] == positions[1]),
        "risk_coverage": metrics.risk_coverage(confidence, positions[0] == positions[1]),
        "classes": classes,
        "cases": len(wanted),
    }


def _severe(policy: Policy, wanted: list[Code], given: list[Code]) -> dict[str, float]:
    severe = [[str(code) in policy.severe for code in codes] for codes in (wanted, given)]
    recall, precision = metrics.found_and_right(*severe)
    return {"severe_recall": recall, "severe_precision": precision}


def _detail(
    head: Head, wanted: list[Code], given: list[Code], confidence: NDArray[np.float64], groups: NDArray[np.int64]
) -> dict[str, Any]:
    positions = [np.array([head.index(code) for code in codes], dtype=int) for codes in (wanted, given)]
    correct = positions[0] == positions[1]
    return {
        "kappa_interval": metrics.bootstrap(positions, partial(metrics.kappa_of_positions, head), groups),
        "calibration_interval": metrics.bootstrap([confidence, correct], metrics.calibration_error, groups),
        "confusion": metrics.confusion(head, *positions).tolist(),
        "reliability": metrics.reliability(confidence, correct),
    }


def slices_of(record: LabelledCase) -> list[str]:
    """Names of the slices a record belongs to: channel, source if it has one, length, speaker marks."""
    case = record.case
    speakers = {turn.speaker for turn in case.turns} if case.turns else set()
    length = sum(len(utterance.text) for utterance in case.utterances())
    bucket = next((f"up to {top}" for top in _LENGTHS if length <= top), f"over {_LENGTHS[-1]}")
    marks = "single text" if not speakers else "unmarked" if speakers == {"unknown"} else "marked"
    source = [f"source: {record.source}"] if record.source else []
    return [f"channel: {case.channel}", *source, f"characters: {bucket}", f"speakers: {marks}"]


def kind_of(record: LabelledCase) -> str:
    """Written for the project: calls and others. Real: calls, other conversations, tickets (single texts)."""
    call = record.case.channel == "call"
    if record.source == "written":
        return "written calls" if call else "written others"
    return "real calls" if call else "conversations" if record.case.turns is not None else "tickets"


def by_slice(
    taxonomy: Taxonomy, policy: Policy, records: Sequence[LabelledCase], answers: Answers, smallest: int = 15
) -> dict[str, Any]:
    """Kappa (micro-F1 for multi-label heads) of every head in every slice of at least `smallest` records."""
    members: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        for name in slices_of(record):
            members.setdefault(name, []).append(row)
    found = {}
    for name, rows in sorted(members.items()):
        if len(rows) >= smallest:
            table = _part(taxonomy, policy, records, answers, rows)
            found[name] = {
                "cases": len(rows),
                **{head: one.get("kappa", one.get("micro_f1")) for head, one in table.items()},
            }
    return found


def by_kind(taxonomy: Taxonomy, policy: Policy, records: Sequence[LabelledCase], answers: Answers) -> dict[str, Any]:
    """All figures for conversations, tickets, written calls and real calls, each by itself."""
    members: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        members.setdefault(kind_of(record), []).append(row)
    return {kind: _part(taxonomy, policy, records, answers, rows) for kind, rows in sorted(members.items())}


def _part(
    taxonomy: Taxonomy, policy: Policy, records: Sequence[LabelledCase], answers: Answers, rows: Sequence[int]
) -> dict[str, Any]:
    part = Answers(
        {head: [values[row] for row in rows] for head, values in answers.labels.items()},
        {head: values[list(rows)] for head, values in answers.confidence.items()},
    )
    return figures(taxonomy, policy, [records[row] for row in rows], part)


def review_figures(policy: Policy, records: Sequence[LabelledCase], answers: Answers) -> dict[str, float]:
    """`reviewed`: the share of cases sent to a person. `severe_seen`: that of the severe cases that were called severe
    or sent to a person."""
    reviewed = np.zeros(len(records), dtype=bool) if answers.reviewed is None else answers.reviewed
    called = np.array([str(code) in policy.severe for code in answers.labels[policy.tier_head]])
    severe = [str(record.labels.get(policy.tier_head)) in policy.severe for record in records]
    seen = (called | reviewed)[severe]
    return {"reviewed": float(reviewed.mean()), "severe_seen": float(seen.mean()) if len(seen) else float("nan")}


def evidence_overlap(triager: Triager, records: Sequence[LabelledCase]) -> float:
    """Share of cases with reference quotes in which a quote overlaps one of the first three pieces of evidence."""
    quoted = [record for record in records if record.evidence]
    hits = 0
    for record, result in zip(quoted, triager.pipe(record.case for record in quoted), strict=True):
        if isinstance(result, RowError):
            continue
        first = result.evidence[:_FIRST_EVIDENCE]
        hits += any(_overlaps(record.case, one, quote) for one in first for quote in record.evidence)
    return hits / len(quoted) if quoted else float("nan")


def _overlaps(case: Case, evidence: Any, quote: str) -> bool:
    words = case.turns[evidence.turn].text if case.turns is not None else case.text or ""
    start = words.find(quote)
    return start >= 0 and evidence.start < start + len(quote) and evidence.end > start
