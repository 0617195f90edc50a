"""Tables of groups: by one dimension, by two, and by issue or lapse. Small groups are never named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from triage.batch.report.dimensions import CONTACTS, DIMENSIONS, Groups, Pairs, shown_value
from triage.batch.report.significance import Share, directions
from triage.batch.report.tables import Cell, Row, Table, heat

MAX_ROWS = 20
_ISSUE_COLUMNS = 8
_PAIR_ROWS, _PAIR_COLUMNS = 12, 8
Panel = Callable[..., str]
Measures = Mapping[str, str]


def group_table(name: str, groups: Groups, measures: Measures, smallest: int, panel: Panel) -> Table | None:
    """Contacts of each value and which part of them has each measure, marked where it differs from all the others."""
    ranked = groups.ranked(smallest)
    total = groups.total()
    if not total[CONTACTS]:
        return None
    if name == "month":
        ranked = sorted(ranked[:MAX_ROWS])
    shown = ranked[:MAX_ROWS]
    trends = {measure: _against_the_rest(measure, shown, total) for measure in measures}
    rows = []
    for place, (value, counts) in enumerate(shown):
        whole = counts[CONTACTS]
        cells = [Cell(whole)]
        for measure in measures:
            share = counts[measure] / whole
            cells.append(Cell(counts[measure], share, heat(share), trends[measure][place]))
        cells.append(Cell(round(groups.loss[value] / whole, 2)))
        rows.append(Row(shown_value(value), tuple(cells), panel(name, value)))
    rest = _rest(shown, total, len(groups.counts), measures)
    if rest and rest.cells[0].value >= smallest:  # type: ignore[operator]
        rows.append(rest)
    note = f"不足 {smallest} 条的组不单独列出。" if len(ranked) < len(groups.counts) or groups.rest else ""
    title = f"按{DIMENSIONS[name]}"
    return Table(title, DIMENSIONS[name], ("联系", *measures.values(), "平均预期损失"), tuple(rows), note)


def issue_table(name: str, groups: Groups, issues: Measures, smallest: int) -> Table | None:
    """Which issues each value of a dimension has, for the issues that are most frequent in it."""
    shown = groups.ranked(smallest)[:MAX_ROWS]
    total = groups.total()
    frequent = [code for code in issues if total[f"issue:{code}"]]
    frequent = sorted(frequent, key=lambda code: -total[f"issue:{code}"])[:_ISSUE_COLUMNS]
    if len(shown) < 2 or not frequent:
        return None
    shown = sorted(shown) if name == "month" else shown
    trends = {code: _against_the_rest(f"issue:{code}", shown, total) for code in frequent}
    peak = max(counts[f"issue:{code}"] / counts[CONTACTS] for _, counts in shown for code in frequent) or 1.0
    rows = []
    for place, (value, counts) in enumerate(shown):
        shares = [(counts[f"issue:{code}"], counts[f"issue:{code}"] / counts[CONTACTS], code) for code in frequent]
        cells = [Cell(count, share, heat(share / peak), trends[code][place]) for count, share, code in shares]
        rows.append(Row(shown_value(value), tuple(cells)))
    dimension = DIMENSIONS[name]
    return Table(f"{dimension} × 问题点", dimension, tuple(issues[code] for code in frequent), tuple(rows))


def grade_table(issues: Groups, names: Measures, grades: Measures, titles: tuple[str, str], panel: Panel) -> Table:
    """Each issue by how grave it is."""
    peak = max((counts[f"grade:{grade}"] for counts in issues.counts.values() for grade in grades), default=1)
    rows = []
    for code, counts in issues.ranked():
        cells = [
            Cell(count, None, heat(count / max(1, peak)), panel=panel("issue", code, grade) if count else "")
            for grade in grades
            for count in [counts[f"grade:{grade}"]]
        ]
        rows.append(Row(names[code], tuple(cells), panel("issue", code)))
    return Table(f"{titles[0]} × {titles[1]}", titles[0], tuple(grades.values()), tuple(rows))


def pair_tables(pairs: Pairs, smallest: int) -> list[Table]:
    """Every two dimensions that meet in at least two values each: contacts, and the part that complains."""
    tables = []
    for (first, second), met in pairs.contacts.items():
        rows, columns = (_frequent(met, side, count) for side, count in ((0, _PAIR_ROWS), (1, _PAIR_COLUMNS)))
        rows = [value for value in rows if sum(met[value, other] for other in columns) >= smallest]
        if len(rows) < 2 or len(columns) < 2:
            continue
        complaints = pairs.complaints[first, second]
        hidden = hidden_cells({(row, column): met[row, column] for row in rows for column in columns}, smallest)
        lines = []
        for row in rows:
            cells = [
                _pair_cell(met[row, column], complaints[row, column], (row, column) in hidden) for column in columns
            ]
            lines.append(Row(shown_value(row), tuple(cells)))
        title = f"{DIMENSIONS[first]} × {DIMENSIONS[second]}"
        note = (
            f"格中为联系数与投诉占比；＊ 为不足 {smallest} 条或可由此推出的格。"
            if hidden
            else "格中为联系数与投诉占比。"
        )
        tables.append(Table(title, title, tuple(map(shown_value, columns)), tuple(lines), note))
    return tables


def hidden_cells(counts: Mapping[tuple[str, str], int], smallest: int) -> set[tuple[str, str]]:
    """Cells of fewer than `smallest` contacts, and as many more that none can be told from its row or column total."""
    hidden = {cell for cell, count in counts.items() if 0 < count < smallest}
    while True:
        alone = [
            line
            for side in (0, 1)
            for value in {cell[side] for cell in counts}
            if len((line := {cell for cell in counts if cell[side] == value and counts[cell]}) & hidden) == 1
            and line - hidden
        ]
        if not alone:
            return hidden
        hidden.add(min(alone[0] - hidden, key=lambda cell: (counts[cell], cell)))


def _pair_cell(contacts: int, complaints: int, hidden: bool) -> Cell:
    if hidden or not contacts:
        return Cell(contacts and "＊", hidden=hidden)
    share = complaints / contacts
    return Cell(contacts, share, heat(share))


def _frequent(met: Counter[tuple[str, str]], side: int, count: int) -> list[str]:
    sums: Counter[str] = Counter()
    for cell, contacts in met.items():
        sums[cell[side]] += contacts
    return sorted(sums, key=lambda value: (-sums[value], value))[:count]


def _against_the_rest(measure: str, shown: Sequence[tuple[str, Counter[str]]], total: Counter[str]) -> list[int]:
    pairs = []
    for _, counts in shown:
        own = Share(counts[measure], counts[CONTACTS])
        pairs.append((own, Share(total[measure] - own.count, total[CONTACTS] - own.whole)))
    return directions(pairs)


def _rest(
    shown: Sequence[tuple[str, Counter[str]]], total: Counter[str], values: int, measures: Measures
) -> Row | None:
    """All values that were not shown, together."""
    left = Counter(total)
    for _, counts in shown:
        left.subtract(counts)
    whole = left[CONTACTS]
    if not whole:
        return None
    cells = [Cell(whole), *(Cell(left[name], left[name] / whole, heat(left[name] / whole)) for name in measures)]
    return Row(f"其余 {values - len(shown)} 项合计", (*cells, Cell("")))
