"""Heads of another organisation: the policy says which one grades, the taxonomy which label is neutral."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.console import Console

from triage.batch.console import summary
from triage.batch.report.content import Content, content
from triage.batch.report.options import ReportOptions
from triage.batch.report.survey import Survey
from triage.batch.tally import Outcome, Tally
from triage.case import Case, Turn
from triage.result import Evidence, Handling, HeadResult, TriageResult
from triage.taxonomy import Taxonomy

Seen = tuple[Tally, Survey]
HANDLING = Handling("店长", "keep", 60, ())
LAPSE = Evidence(0, 0, 1, "没", "cold", (), "agent")
LABELS = {
    "emotion": {"calm": "平静", "furious": "愤怒"},
    "complaint_type": {"inquiry": "咨询", "claims": "理赔类"},
    "grade": {"0": "无", "1": "甲级"},
    "dissatisfaction": {"none": "无不满", "explicit": "明说"},
}
NEUTRAL = {"complaint_type": "inquiry"}
KINDS = {"complaint_type": "single"}


def taxonomy(*heads: str, neutral: dict[str, str] = NEUTRAL, zh: str = "") -> Taxonomy:
    found = [
        {
            "name": name,
            "kind": KINDS.get(name, "ordered"),
            "zh": zh or f"头 {name}",
            "en": name,
            "neutral": neutral.get(name),
            "labels": [{"code": code, "zh": zh, "en": code} for code, zh in LABELS[name].items()],
        }
        for name in heads
    ]
    return Taxonomy.model_validate({"name": "own", "version": "1", "heads": found})


def seen(own: Taxonomy, *answers: tuple[int, ...]) -> Seen:
    """Calls with these places of the label under each head, each with a lapse and values of two dimensions."""
    survey = Survey(own, "grade", {"0": 0.0, "1": 20.0}, 50)
    tally = Tally(own, survey)
    for number, places in enumerate(answers):
        heads = {}
        for head, place in zip(own.heads, places, strict=True):
            label, rest = head.labels[place], head.labels[1 - place]
            scores = {str(label.code): 0.9, str(rest.code): 0.1}
            heads[head.name] = HeadResult(label.code, label.zh, 0.9, scores)
        turns = tuple(Turn(speaker="customer", text="没人管") for _ in range(4))
        case = Case(id=f"T-{number}", turns=turns, product=f"甲{number % 2}", region=f"乙{number % 2}")
        curve = tuple({"turn": turn, "dissatisfaction": 0.5} for turn in range(4))
        tally.add(Outcome(case, TriageResult(case.id, heads, (), curve, HANDLING, (), agent_lapses=(LAPSE,))))
    return tally, survey


def shown(found: Seen) -> Content:
    return content(*found, None, {}, [], ReportOptions(smallest_group=1))


@pytest.mark.parametrize("zh", ["", "等级"])
def test_the_head_that_the_policy_names_ranks_the_queue(write: Callable[..., Path], zh: str) -> None:
    found = seen(taxonomy("emotion", "grade", zh=zh), (1, 0), (0, 1))
    header, *rows = load_workbook(write(found, "r.xlsx"))["复核队列"].values
    queue = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["编号"], row["等级"], row["预期损失"]) for row in queue] == [("T-1", "甲级", 18), ("T-0", "无", 2)]
    assert '<span class="badge l4">甲级</span>' in write(found).read_text("utf-8")


@pytest.mark.parametrize(
    ("heads", "wanted"),
    [
        (("emotion", "complaint_type", "grade"), ["头 grade", "头 complaint_type"]),
        (("emotion", "grade"), ["头 grade"]),
    ],
)
def test_the_summary_begins_with_the_grades(heads: tuple[str, ...], wanted: list[str]) -> None:
    page = Console(width=80, record=True, file=StringIO())
    page.print(summary(seen(taxonomy(*heads), (0,) * len(heads))[0], "grade"))
    assert re.findall(r"头 \w+", page.export_text()) == wanted


@pytest.mark.parametrize(
    ("neutral", "complaints"), [({"complaint_type": "inquiry"}, [1]), ({"complaint_type": "claims"}, [2]), ({}, [])]
)
def test_a_complaint_is_what_is_not_neutral(neutral: dict[str, str], complaints: list[int]) -> None:
    found = seen(taxonomy("complaint_type", "grade", neutral=neutral), (0, 0), (0, 0), (1, 1))
    assert [one.count for one in shown(found).headlines if one.name == "投诉"] == complaints


def test_nothing_is_said_of_complaints_where_no_head_tells_them() -> None:
    answers = [(0, 0, 0), (1, 1, 1)] * 3
    told = shown(seen(taxonomy("complaint_type", "grade", "dissatisfaction"), *answers))
    untold = shown(seen(taxonomy("emotion", "grade", "dissatisfaction"), *answers))
    assert told.lapses is not None
    assert untold.lapses is not None
    assert (told.lapses.columns, untold.lapses.columns) == (("联系", "投诉", "须立即上报"), ("联系", "须立即上报"))
    assert (len(told.pairs), len(untold.pairs)) == (1, 0)
    assert [line.name for line in told.curves] == ["投诉（3 通）", "非投诉（3 通）"]
    assert [line.name for line in untold.curves] == ["全部（6 通）"]
