"""The report: what it counts, and that nothing in it can run, load or leak."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from triage.batch.charts import charts, cross_table, group_tables, headlines
from triage.batch.names import Names, duration
from triage.batch.report import content_policy, write_report
from triage.batch.tally import Outcome, Tally
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


def _tally(triager: Any, *cases: Case, keep: int = 200) -> Tally:
    tally = Tally(triager.taxonomy, keep)
    for case in cases:
        tally.add(Outcome(case, triager(case)))
    return tally


def _report(tmp_path: Path, triager: Any, tally: Tally) -> str:
    write_report(tmp_path / "r.html", tally, triager.info, ["in.jsonl"])
    return (tmp_path / "r.html").read_text("utf-8")


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


HOSTILE = '<script>alert(1)</script><img src=x onerror="x">{{ 7*7 }}没人管\x1b[31m'


def test_nothing_runs_loads_or_breaks_out(tmp_path: Path, fake_triager: Any) -> None:
    case = Case(id='"><script>', text=HOSTILE, product=HOSTILE, region="北京", channel="call")
    tally = _tally(fake_triager, case)
    tally.add(Outcome(None, RowError("<b>", "bad_input", "<i>")))
    html = _report(tmp_path, fake_triager, tally)
    page = _parse(html)
    assert {"script", "img", "link", "iframe", "b>"}.isdisjoint(tag for tag, _ in page.tags)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"https?://|url\(|@import", html)
    assert "49" not in re.sub(r"\d+%|w\d+", "", html.split("</style>")[1].split("没人管")[0])
    assert "\x1b" not in html


def test_policy_allows_just_this_style(tmp_path: Path, fake_triager: Any) -> None:
    html = _report(tmp_path, fake_triager, _tally(fake_triager, Case(text="谢谢")))
    style = html.split("<style>")[1].split("</style>")[0]
    page = _parse(html)
    (policy,) = [attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes]
    assert policy == content_policy(style)
    assert "unsafe" not in str(policy)


def test_evidence_is_marked_with_its_kind(tmp_path: Path, fake_triager: Any) -> None:
    html = _report(tmp_path, fake_triager, _tally(fake_triager, Case(text="没人管,我打12315")))
    assert '<mark class="signal" title="扬言找监管部门">12315</mark>' in html
    assert '<mark class="model" title="模型：投诉类型">没人管</mark>' in html


def test_headlines_and_tables(fake_triager: Any) -> None:
    texts = {"T-1": "没人管", "T-2": "我打12315", "T-3": "行吧", "T-4": "谢谢"}
    tally = _tally(fake_triager, *(Case(id=key, text=text, region="北京") for key, text in texts.items()))
    tally.add(Outcome(None, RowError("T-5", "bad_input", "")))
    assert {name: count for name, count, _ in headlines(tally)} == {
        "联系总数": 5,
        "投诉": 2,
        "风险 ≥ 3 级": 1,
        "未明说的不满": 1,
        "须立即上报": 1,
        "需人工复核": 1,
        "处理失败": 1,
    }
    by_name = {chart.name: [bar.count for bar in chart.bars] for chart in charts(tally)}
    assert by_name["风险等级"] == [2, 1, 0, 1, 0]
    assert by_name["问题点"] == [2, 1, 1]
    cross = cross_table(tally)
    assert cross is not None
    assert [cell.count for cell in cross.rows[0][1]] == [0, 1, 0, 1, 0]
    (region,) = group_tables(tally)
    assert (region.corner, region.rows[0][0], region.rows[0][1][0].count) == ("地区", "北京", 4)


def test_cases_are_ranked_and_bounded(fake_triager: Any) -> None:
    texts = ["谢谢", "没人管", "打12315", "行吧", "打12345", "没人管"]
    cases = [Case(id=str(number), text=text) for number, text in enumerate(texts)]
    assert [case.id for case, _ in _tally(fake_triager, *cases, keep=3).top.ranked()] == ["2", "4", "1"]
    assert _tally(fake_triager, *cases, keep=0).top.ranked() == []


@pytest.mark.parametrize("cases", [[], [Case(text="没人管")]])
def test_any_number_of_cases(tmp_path: Path, fake_triager: Any, cases: list[Case]) -> None:
    tally = _tally(fake_triager, *cases)
    tally.add(Outcome(None, RowError("T-0", "bad_input", "")))
    html = _report(tmp_path, fake_triager, tally)
    _parse(html)
    assert ("没有一条联系得到结果" in html) is (not cases)


def _answer(label: str | int, name: str, scores: dict[str, float]) -> TriageResult:
    heads: dict[str, Any] = {"mood": HeadResult(label, name, scores[str(label)], scores)}
    return TriageResult("T", heads, (), (), Handling("店长", "keep", 2880, ()), ())


def test_another_taxonomy_needs_no_code(tmp_path: Path, fake_triager: Any) -> None:
    tally = Tally(OTHER)
    tally.add(Outcome(Case(text="谢谢"), _answer("bad", "坏", {"ok": 0.4, "bad": 0.6})))
    html = _report(tmp_path, fake_triager, tally)
    assert "心情" in html
    assert "2 天内响应" in html
    assert "风险" not in html.split("<main>")[1].split("案例")[0]


def test_own_grades_of_a_policy_take_the_place_of_labels() -> None:
    tally = Tally(OTHER)
    for label, name in (("C", "丙级"), ("A", "甲级"), ("C", "丙级")):
        tally.add(Outcome(Case(id=label, text="谢谢"), _answer(label, name, {"A": 0.2, "B": 0.2, "C": 0.6})))
    (chart,) = charts(tally)
    assert [(bar.name, bar.count, bar.level) for bar in chart.bars] == [("甲级", 1, 0), ("B", 0, 2), ("丙级", 2, 4)]
    assert [case.id for case, _ in tally.top.ranked()] == ["C", "C", "A"]


def test_metadata_of_many_values_stays_bounded(fake_triager: Any) -> None:
    result = fake_triager("谢谢")
    tally = Tally(fake_triager.taxonomy, keep=1)
    for number in range(6000):
        tally.add(Outcome(Case(text="谢谢", product=f"P{number}"), result))
    (product,) = group_tables(tally)
    assert (len(tally.groups["product"]), len(product.rows), product.hidden) == (5000, 20, 4980)


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
