"""What rises in the last weeks, and against an earlier output."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.batch.facts import Facts
from triage.batch.read import open_sources
from triage.batch.report.content import content
from triage.batch.report.keywords import KeywordFinder, WeeklyKeywords
from triage.batch.report.options import ReportOptions
from triage.batch.report.periods import Days, day_of
from triage.batch.report.previous import read_previous
from triage.batch.report.rising import changes, rising
from triage.batch.run import Outputs, score
from triage.batch.tally import Counts, Tally
from triage.case import Case
from triage.errors import InputError


def test_what_rises_is_found_and_steady_is_not() -> None:
    found = changes({"新": 40, "稳": 50, "降": 5, "少": 3}, {"稳": 50, "降": 60}, 400, 400)
    assert [one.name for one in rising(found, 5, 10)] == ["新"]
    (new,) = rising(found, 5, 10)
    assert (new.factor, new.now.count, new.before.count) == (None, 40, 0)


def test_periods_are_the_last_weeks_and_as_many_before() -> None:
    days = Days()
    for day in (1, 8, 15, 22, 29):
        days.add(date(2025, 9, day), ["contacts"])
    periods = days.periods()
    assert periods is not None
    assert periods.names == ("2025-09-22 至 2025-10-05", "2025-09-08 至 2025-09-21")
    assert days.total(periods.now)["contacts"] == 2


@pytest.mark.parametrize("days", [[], [date(2025, 9, 1)], [date(2025, 9, 1), date(2025, 9, 7)]])
def test_one_week_has_nothing_to_compare_with(days: list[date]) -> None:
    seen = Days()
    for day in days:
        seen.add(day, ["contacts"])
    assert seen.periods() is None


@pytest.mark.parametrize(("span", "steps", "first"), [(30, 30, "01-01"), (200, 29, "01-01 周"), (900, 30, "2024-01")])
def test_steps_of_a_chart(span: int, steps: int, first: str) -> None:
    days = Days()
    for number in range(span):
        days.add(date.fromordinal(date(2024, 1, 1).toordinal() + number), ["contacts"])
    found = days.steps()
    assert (len(found), found[0][0]) == (steps, first)


def test_a_quarter_tells_its_own_news(see: Callable[..., Any], quarter: list[Case], fake_triager: Any) -> None:
    found = content(*see(*quarter), None, fake_triager.info, [], ReportOptions())
    words = next(rise for rise in found.rises if rise.name == "上升的关键词")
    assert {"门锁", "鼓包"} & set(words.risen) or "电池鼓包" in words.risen
    assert words.table is not None
    assert words.table.rows[0].panel
    assert any(row.name == "门锁" and row.cells[1].trend == 1 for table, _ in found.groups for row in table.rows)
    assert any("显著上升的关键词" in point for point in found.points)


def test_keywords_are_masked_and_the_customers_own() -> None:
    case = Case.model_validate(
        {
            "turns": [
                {"speaker": "customer", "text": "我的充电桩坏了,电话13800138000,我们要退货退货"},
                {"speaker": "agent", "text": "路由器路由器路由器"},
            ]
        }
    )
    words = KeywordFinder()(case)
    assert "退货" in words
    assert "充电" in words
    assert not [word for word in words if word in ("路由器", "我们", "手机号") or word.isdigit()]


def test_keyword_counts_stay_bounded() -> None:
    weekly = WeeklyKeywords()
    for number in range(60_000):
        weekly.add(None, ["常见", *(f"词{number}{place}" for place in range(7))])
    assert sum(map(len, weekly.weeks.values())) < 300_000
    assert weekly.total([None])["常见"] == 60_000


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx", ".parquet"])
def test_an_earlier_output_counts_as_the_run_did(tmp_path: Path, fake_triager: Any, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    source = tmp_path / "in.jsonl"
    rows = [
        '{"text": "没人管"}',
        '{"text": "打12315"}',
        '{"text": "行吧"}',
        '{"text": "谢谢"}',
        "{",
        '{"text": "boom"}',
    ]
    turns = '{"turns": [{"speaker": "customer", "text": "退款"}, {"speaker": "agent", "text": "那我也没办法"}]}'
    source.write_text("\n".join([*rows, turns]), "utf-8")
    out = tmp_path / f"o{suffix}"
    tally = score(fake_triager, open_sources([source], {}), Outputs(out))
    before = read_previous(out, fake_triager.taxonomy)
    assert (before.contacts, before.failed, before.flagged) == (tally.contacts, tally.failed, tally.flagged)
    assert before.lapses == tally.lapses == {"cold": 1}
    for name, labels in tally.labels.items():
        assert before.labels[name].counts == labels.counts


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("none.jsonl", None, "cannot be read"),
        ("o.jsonl", "{}\n", "not an output of triage score"),
        ("o.jsonl", "[", "not an output of triage score"),
        ("o.csv", "id,text\n1,2\n", "not an output of triage score"),
        ("o.xlsx", "no zip", "not an output of triage score"),
        ("o.jsonl", "", "no row with a result"),
        ("o.pdf", "", "allowed are outputs of triage score"),
    ],
)
def test_what_is_no_output_is_refused(
    tmp_path: Path, fake_triager: Any, name: str, words: str | None, message: str
) -> None:
    if words is not None:
        (tmp_path / name).write_text(words, "utf-8")
    with pytest.raises(InputError, match=message):
        read_previous(tmp_path / name, fake_triager.taxonomy)


def test_headlines_against_before(see: Callable[..., Any], fake_triager: Any) -> None:
    before = Counts(fake_triager.taxonomy)
    for number in range(100):
        case = Case(text="没人管" if number % 5 == 0 else "谢谢")
        before.count(Facts.of(fake_triager(case), fake_triager.taxonomy))
    seen: tuple[Tally, Any] = see(*(Case(text="没人管" if number % 2 else "谢谢") for number in range(100)))
    found = content(*seen, before, fake_triager.info, [], ReportOptions(previous=Path("o.csv")))
    complaints = found.headlines[1]
    assert (complaints.name, complaints.count, complaints.before, complaints.trend) == ("投诉", 50, 0.2, 1)
    assert found.rises[0].against == "本批对照前一份结果"
    assert found.rises[0].risen == ("态度",)


@pytest.mark.parametrize("time", [None, datetime(1, 1, 1), datetime(1601, 1, 1)])
def test_times_that_are_none(time: datetime | None) -> None:
    assert day_of(time) is None
