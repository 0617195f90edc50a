"""The report as data: what page and workbook both show, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage.batch.marked import printable
from triage.batch.names import Names
from triage.batch.report.dimensions import CONTACTS
from triage.batch.report.excerpts import Excerpt
from triage.batch.report.groups import grade_table, group_table, issue_table, pair_tables
from triage.batch.report.improve import Item, improvements
from triage.batch.report.options import ReportOptions
from triage.batch.report.plots import Line, Plot, mean_curve, timeline
from triage.batch.report.rising import Change, changes, rising
from triage.batch.report.significance import Share, directions
from triage.batch.report.survey import Survey
from triage.batch.report.tables import Cell, Chart, Row, Table, charts, heat, percent
from triage.batch.tally import Counts, Tally
from triage.privacy import mask_text

_LAPSED = {"lapsed": "坐席失误线索"}
_GROUPED = ("complaints", "report", "unspoken", "escalating")
_MAX_RISING = 15


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure at the top: a count, what it is a part of, and the part it was before."""

    name: str
    count: int
    whole: int
    before: float | None = None
    trend: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """Excerpts that open behind a number."""

    id: str
    title: str
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class Rise:
    """What rises, against what; no table if nothing does."""

    name: str
    against: str
    table: Table | None
    risen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All parts of the report but the contacts of the queue, which are rendered one by one."""

    origin: tuple[tuple[str, str], ...]
    headlines: tuple[Headline, ...]
    points: tuple[str, ...]
    charts: tuple[Chart, ...]
    timeline: tuple[Plot, ...]
    grades: Table | None
    groups: tuple[tuple[Table, Table | None], ...]
    pairs: tuple[Table, ...]
    rises: tuple[Rise, ...]
    lapses: Table | None
    curves: tuple[Line, ...]
    items: tuple[Item, ...]
    panels: tuple[Panel, ...]


class _Panels:
    """Hands out an id for each key that has excerpts, and remembers what was handed out."""

    def __init__(self, survey: Survey, titles: Mapping[tuple[str, ...], str]):
        self._survey = survey
        self._titles = titles
        self.made: list[Panel] = []

    def __call__(self, *key: str) -> str:
        return self.show(self._titles.get(key, "典型案例"), self._survey.excerpts.of(*key))

    def show(self, title: str, excerpts: Sequence[Excerpt]) -> str:
        """The id of a panel with these excerpts; none without."""
        if not excerpts:
            return ""
        self.made.append(Panel(f"p{len(self.made) + 1}", title, tuple(excerpts)))
        return self.made[-1].id


def content(
    tally: Tally,
    survey: Survey,
    before: Counts | None,
    info: dict[str, Any],
    sources: Sequence[str],
    asked: ReportOptions,
) -> Content:
    """Everything that was seen, as figures, tables, charts and lists."""
    names = Names.of(tally.taxonomy, info)
    issues = tally.labels[survey.about.name].names if survey.about else {}
    grades = tally.labels[survey.tiers.name].names
    measures = {name: tally.flags[name] for name in _GROUPED if name in tally.flags}
    panels = _Panels(survey, {("issue", code): zh for code, zh in issues.items()})
    least = asked.smallest_group
    rises = tuple(_rises(tally, survey, before, issues, least, panels))
    risen = [name for rise in rises for name in rise.risen]
    groups = []
    for name, counted in survey.groups.items():
        if table := group_table(name, counted, measures | _LAPSED, least, panels):
            groups.append((table, issue_table(name, counted, issues, least)))
    items = improvements(survey, issues, risen, least)
    return Content(
        origin=tuple(_origin(info, sources, asked)),
        headlines=tuple(_headlines(tally, before)),
        points=tuple(_points(tally, survey, rises, items)),
        charts=tuple(charts(tally, before)) if tally.done else (),
        timeline=tuple(timeline(survey.days.steps(), measures)),
        grades=grade_table(survey.issues, issues, grades, (survey.about.zh, survey.tiers.zh), panels)
        if survey.issues.counts and survey.about
        else None,
        groups=tuple(groups),
        pairs=tuple(pair_tables(survey.pairs, least)) if "complaints" in measures else (),
        rises=rises,
        lapses=_lapses(survey, measures, names, panels),
        curves=tuple(_curves(survey, measures)),
        items=tuple(items),
        panels=tuple(panels.made),
    )


def _headlines(tally: Tally, before: Counts | None) -> list[Headline]:
    flags = {name: (tally.flagged[name], tally.done) for name in tally.flags}
    earlier = [Share(before.flagged[name], before.done) if before else Share(0, 0) for name in flags]
    now = [Share(*pair) for pair in flags.values()]
    trends = directions(list(zip(now, earlier, strict=True)))
    figures = [
        Headline(tally.flags[name], share.count, share.whole, old.value if before else None, trend)
        for name, share, old, trend in zip(flags, now, earlier, trends, strict=True)
    ]
    contacts = Headline("联系总数", tally.contacts, 0, float(before.contacts) if before else None)
    return [contacts, *figures, Headline("处理失败", tally.failed.total(), tally.contacts)]


def _rises(
    tally: Tally, survey: Survey, before: Counts | None, issues: Mapping[str, str], least: int, panels: _Panels
) -> Iterator[Rise]:
    """Issues against the file to compare with; issues and keywords of the last weeks against those before."""
    if before is not None and survey.about is not None:
        head = survey.about.name
        found = changes(tally.labels[head].counts, before.labels[head].counts, tally.done, before.done)
        yield _rise("问题点", "本批对照前一份结果", _issue_rows(found, issues, least, panels))
    if periods := survey.days.periods():
        against = f"{periods.names[0]} 对 {periods.names[1]}"
        now, past = survey.days.total(periods.now), survey.days.total(periods.before)
        wholes = now[CONTACTS], past[CONTACTS]
        seen, before_that = ({code: counts[f"issue:{code}"] for code in issues} for counts in (now, past))
        yield _rise("问题点", against, _issue_rows(changes(seen, before_that, *wholes), issues, least, panels))
        words = changes(survey.keywords.total(periods.now), survey.keywords.total(periods.before), *wholes)
        yield _rise("关键词", against, _word_rows(words, least, panels, survey))


def _rise(what: str, against: str, rows: Sequence[tuple[str, Change, str]]) -> Rise:
    table = _change_table(f"上升的{what}", what, rows)
    return Rise(f"上升的{what}", against, table, tuple(name for name, _, _ in rows))


def _issue_rows(
    found: Sequence[Change], issues: Mapping[str, str], least: int, panels: _Panels
) -> list[tuple[str, Change, str]]:
    risen = rising(found, least, _MAX_RISING)
    return [(issues.get(one.name, one.name), one, panels("issue", one.name)) for one in risen]


def _word_rows(found: Sequence[Change], least: int, panels: _Panels, survey: Survey) -> list[tuple[str, Change, str]]:
    return [
        (printable(mask_text(one.name)), one, panels.show(f"含“{one.name}”", survey.excerpts.with_word(one.name)))
        for one in rising(found, least, _MAX_RISING)
    ]


def _change_table(title: str, corner: str, rows: Sequence[tuple[str, Change, str]]) -> Table | None:
    lines = []
    for name, one, panel in rows:
        times = "新出现" if one.factor is None else f"{one.factor:.1f} 倍"
        shares = [Cell(share.count, share.value) for share in (one.now, one.before)]
        lines.append(
            Row(name, (*shares, Cell(times), Cell(f"{one.rate:.1e}" if one.rate < 0.001 else f"{one.rate:.3f}")), panel)
        )
    return Table(title, corner, ("本期", "前期", "变化", "错误发现率"), tuple(lines)) if lines else None


def _curves(survey: Survey, measures: Mapping[str, str]) -> Iterator[Line]:
    kinds = {True: "投诉", False: "非投诉"} if "complaints" in measures else {False: "全部"}
    for kind, name in kinds.items():
        curve = survey.curves[kind]
        if curve.calls:
            yield mean_curve(f"{name}（{curve.calls:,} 通）", curve.values)


def _lapses(survey: Survey, measures: Mapping[str, str], names: Names, panels: _Panels) -> Table | None:
    columns = {name: measures[name] for name in _GROUPED[:3] if name in measures}
    rows = []
    for code, counts in survey.lapses.ranked():
        whole = counts[CONTACTS]
        cells = [
            Cell(whole),
            *(Cell(counts[name], counts[name] / whole, heat(counts[name] / whole)) for name in columns),
        ]
        rows.append(Row(names.kind(code), tuple(cells), panels("lapse", code)))
    return Table("坐席失误线索", "线索", ("联系", *columns.values()), tuple(rows)) if rows else None


def _points(tally: Tally, survey: Survey, rises: Sequence[Rise], items: Sequence[Item]) -> list[str]:
    """What to know first, in sentences; nothing that was not tested or counted."""
    points = []
    kept = survey.queue.ranked()
    if survey.loss and len(kept) < tally.done:
        share = sum(rank for rank, _ in kept) / survey.loss
        part = percent(len(kept) / tally.done)
        points.append(
            f"先听下面 {len(kept)} 条：占全部 {tally.done:,} 条联系的 {part}，占预期损失的 {percent(share)}。"
        )
    if items:
        first = items[0]
        where = f"，集中在{'、'.join(first.places)}" if first.places else ""
        points.append(f"预期损失最多的问题点是“{first.issue}”（{first.contacts:,} 条{where}）。")
    points += [f"显著{rise.name}（{rise.against}）：{'、'.join(rise.risen[:6])}。" for rise in rises if rise.risen]
    if tally.lapses:
        points.append(f"坐席失误线索 {tally.lapses.total():,} 处，只供复核，不作结论。")
    return points


def _origin(info: dict[str, Any], sources: Sequence[str], asked: ReportOptions) -> list[tuple[str, str]]:
    """Where the figures come from."""
    files = "、".join(sources[:5]) + (f" 等 {len(sources)} 个文件" if len(sources) > 5 else "")
    rows = {
        "数据": printable(mask_text(files)),
        "对照": printable(mask_text(asked.previous.name)) if asked.previous else "",
        "生成时间": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "模型": f"{info.get('name', '')} {info.get('version', '')}".strip(),
        "分类体系": str(info.get("taxonomy", "")),
        "策略": str(info.get("policy", "")),
    }
    return [(name, value) for name, value in rows.items() if value]
