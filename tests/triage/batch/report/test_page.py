"""The page: what it counts, and that nothing in it can run, load or leak."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from triage.batch.names import Names, duration
from triage.batch.report.content import content
from triage.batch.report.html import content_policy
from triage.batch.report.options import ReportOptions
from triage.batch.report.survey import Survey
from triage.batch.tally import Outcome, Tally
from triage.batch.top import ExpectedLoss, Highest
from triage.case import Case
from triage.result import Handling, HeadResult, RowError, TriageResult
from triage.taxonomy import Taxonomy

OTHER = Taxonomy.model_validate(
    {
        "name": "shop",
        "version": "2",
        "heads": [
            {
                "name": "mood",
                "kind": "ordered",
                "zh": "心情",
                "en": "mood",
                "labels": [{"code": "ok", "zh": "好", "en": "ok"}, {"code": "bad", "zh": "坏", "en": "bad"}],
            }
        ],
    }
)


class _Page(HTMLParser):
    """Collects tags and their attributes; complains about tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parse(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    assert page.open == []
    return page


def test_nothing_runs_loads_or_breaks_out(
    see: Callable[..., Any], write: Callable[..., Path], hostile: Case, failure: Outcome
) -> None:
    tally, survey = see(*[hostile] * 6)
    tally.add(failure)
    html = write((tally, survey)).read_text("utf-8")
    page = _parse(html)
    assert {"script", "img", "link", "iframe", "b>"}.isdisjoint(tag for tag, _ in page.tags)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert all(attributes["href"].startswith("#") for tag, attributes in page.tags if tag == "a")  # type: ignore[union-attr]
    assert not re.search(r"url\(|@import", html)
    assert "{{7*7}}" in html
    assert "\x1b" not in html


def test_every_link_leads_somewhere(see: Callable[..., Any], write: Callable[..., Path], quarter: list[Case]) -> None:
    page = _parse(write(see(*quarter)).read_text("utf-8"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    links = {str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"}
    assert len(ids) == len(set(ids))
    assert links - {"_"} <= set(ids)
    assert len(links) > 30


def test_policy_allows_just_this_style(see: Callable[..., Any], write: Callable[..., Path]) -> None:
    html = write(see(Case(text="谢谢"))).read_text("utf-8")
    style = html.split("<style>")[1].split("</style>")[0]
    page = _parse(html)
    (policy,) = [attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes]
    assert policy == content_policy(style)
    assert "unsafe" not in str(policy)


def test_evidence_is_marked_with_its_kind(see: Callable[..., Any], write: Callable[..., Path]) -> None:
    turns = [{"speaker": "customer", "text": "没人管,我打12315"}, {"speaker": "agent", "text": "那我也没办法"}]
    html = write(see(Case.model_validate({"turns": turns}))).read_text("utf-8")
    assert '<mark class="signal" title="扬言找监管部门">12315</mark>' in html
    assert '<mark class="model" title="模型：投诉类型">没人管</mark>' in html
    assert '<mark class="agent" title="坐席：态度生硬冷漠">没办法</mark>' in html


def test_no_identifier_in_any_part(see: Callable[..., Any], write: Callable[..., Path]) -> None:
    text = "没人管,打13800138000,不然打12315"
    cases = [Case(id="T-1", text=text, product="13800138000", agent_id="13800138000", channel="call")] * 6
    for name in ("r.html", "r.xlsx"):
        data = write(see(*cases), name).read_bytes()
        assert b"13800138000" not in data
    assert "[手机号]" in write(see(*cases)).read_text("utf-8")


def test_headlines_and_tables(see: Callable[..., Any], fake_triager: Any) -> None:
    texts = {"T-1": "没人管", "T-2": "我打12315", "T-3": "行吧", "T-4": "谢谢"}
    tally, survey = see(*(Case(id=key, text=text, region="北京") for key, text in texts.items()))
    tally.add(Outcome(None, RowError("T-5", "bad_input", "")))
    found = content(tally, survey, None, fake_triager.info, [], ReportOptions(smallest_group=1))
    assert {one.name: one.count for one in found.headlines} == {
        "联系总数": 5,
        "投诉": 2,
        "未明说的不满": 1,
        "升级风险高": 1,
        "须立即上报": 1,
        "需人工复核": 1,
        "处理失败": 1,
    }
    by_name = {chart.name: [bar.count for bar in chart.bars] for chart in found.charts}
    assert by_name["风险等级"] == [2, 1, 0, 1, 0]
    assert by_name["问题点"] == [2, 1, 1]
    assert found.grades is not None
    assert [cell.value for cell in found.grades.rows[0].cells] == [0, 1, 0, 1, 0]
    ((region, _),) = found.groups
    assert (region.corner, region.rows[0].name, region.rows[0].cells[0].value) == ("地区", "北京", 4)


def test_queue_is_ranked_by_expected_loss_and_bounded(see: Callable[..., Any]) -> None:
    texts = ["谢谢", "没人管", "打12315", "行吧", "打12345", "没人管"]
    cases = [Case(id=str(number), text=text) for number, text in enumerate(texts)]
    ranked = see(*cases, capacity=3)[1].queue.ranked()
    assert [case.id for _, (case, _) in ranked] == ["2", "4", "1"]
    assert [loss for loss, _ in ranked] == sorted((loss for loss, _ in ranked), reverse=True)
    assert see(*cases, capacity=0)[1].queue.ranked() == []


SCORES = {"0": 0.5, "1": 0.3, "2": 0.1, "3": 0.1, "4": 0.0}


@pytest.mark.parametrize(
    ("label", "reasons", "costs", "loss"),
    [
        (0, (), {"1": 1, "2": 4, "3": 20, "4": 60}, 0.3 + 0.4 + 2.0),
        (0, (), {}, 0.3 + 0.2 + 0.3),
        (3, ("regulator_threat",), {"0": 0, "1": 1, "2": 4, "3": 20, "4": 60}, 0.5 * 10 + 0.3 * 10.5 + 0.1 * 12 + 2.0),
    ],
)
def test_expected_loss_by_hand(
    fake_triager: Any, label: int, reasons: tuple[str, ...], costs: dict[str, float], loss: float
) -> None:
    heads: dict[str, Any] = {"risk_tier": HeadResult(label, "", SCORES[str(label)], SCORES, reasons)}
    result = TriageResult("T", heads, (), (), Handling("店长", "keep", 2880, ()), ())
    assert ExpectedLoss(fake_triager.taxonomy.head("risk_tier"), costs)(result) == pytest.approx(loss)


def test_highest_keeps_the_first_among_equals() -> None:
    kept: Highest[str] = Highest(2)
    for rank, name in ((1.0, "a"), (1.0, "b"), (1.0, "c"), (2.0, "d")):
        kept.add(rank, name)
    assert kept.ranked() == [(2.0, "d"), (1.0, "a")]


@pytest.mark.parametrize("cases", [[], [Case(text="没人管")]])
def test_any_number_of_cases(
    see: Callable[..., Any], write: Callable[..., Path], failure: Outcome, cases: list[Case]
) -> None:
    tally, survey = see(*cases)
    tally.add(failure)
    html = write((tally, survey)).read_text("utf-8")
    _parse(html)
    assert ("没有一条联系得到结果" in html) is (not cases)
    assert write((tally, survey), "r.xlsx").stat().st_size


def _answer(label: str | int, name: str, scores: dict[str, float]) -> TriageResult:
    heads: dict[str, Any] = {"mood": HeadResult(label, name, scores[str(label)], scores)}
    return TriageResult("T", heads, (), (), Handling("店长", "keep", 2880, ()), ())


def _other(*answers: tuple[str, str, dict[str, float]]) -> tuple[Tally, Survey]:
    survey = Survey(OTHER, "mood", {}, 50)
    tally = Tally(OTHER, survey)
    for label, name, scores in answers:
        tally.add(Outcome(Case(id=label, text="谢谢"), _answer(label, name, scores)))
    return tally, survey


def test_another_taxonomy_needs_no_code(write: Callable[..., Path]) -> None:
    html = write(_other(("bad", "坏", {"ok": 0.4, "bad": 0.6}))).read_text("utf-8")
    assert "心情" in html
    assert "2 天内响应" in html
    assert "升级风险高" not in html


def test_own_grades_of_a_policy_take_the_place_of_labels(fake_triager: Any) -> None:
    scores = {"A": 0.2, "B": 0.2, "C": 0.6}
    tally, survey = _other(("A", "甲级", scores | {"A": 0.6, "C": 0.2}), ("C", "丙级", scores), ("C", "丙级", scores))
    (chart,) = content(tally, survey, None, fake_triager.info, [], ReportOptions()).charts
    assert [(bar.name, bar.count, bar.level) for bar in chart.bars] == [("甲级", 1, 0), ("B", 0, 2), ("丙级", 2, 4)]
    assert [case.id for _, (case, _) in survey.queue.ranked()] == ["C", "C", "A"]


@pytest.mark.parametrize(("minutes", "text"), [(30, "30 分钟"), (90, "90 分钟"), (240, "4 小时"), (1440, "1 天")])
def test_duration(minutes: int, text: str) -> None:
    assert duration(minutes) == text


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("low_confidence:risk_tier", "把握不足（风险等级）"),
        ("label:contact_class=unreasonable", "须由人判断（来电分类：非常规客户）"),
        ("unknown_words", "生词过多"),
        ("regulator_threat", "扬言找监管部门"),
        ("something_new:x", "something_new:x"),
    ],
)
def test_reasons_have_names(fake_triager: Any, reason: str, name: str) -> None:
    assert Names.of(fake_triager.taxonomy, fake_triager.info).reason(reason) == name
