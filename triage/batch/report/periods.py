"""Counts by day, gathered into periods: what is compared with what, and the steps of a chart over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

_MAX_DAYS = 4_000
_MAX_WEEKS = 4
_MAX_STEPS = 45


@dataclass(frozen=True, slots=True)
class Periods:
    """Two stretches of as many weeks each, by their Mondays: the last one and the one before."""

    now: tuple[date, ...]
    before: tuple[date, ...]

    @property
    def names(self) -> tuple[str, str]:
        """Both as first and last day."""
        return _stretch(self.now), _stretch(self.before)


class Days:
    """Counts of each day; days beyond `_MAX_DAYS` different ones are not counted."""

    def __init__(self) -> None:
        self.counts: dict[date, Counter[str]] = {}

    def add(self, day: date | None, measures: Iterable[str]) -> None:
        """Count one contact."""
        if day is not None and (day in self.counts or len(self.counts) < _MAX_DAYS):
            self.counts.setdefault(day, Counter()).update(measures)

    def total(self, weeks: Iterable[date]) -> Counter[str]:
        """The counts of whole weeks together."""
        wanted = set(weeks)
        return _sum(counts for day, counts in self.counts.items() if monday(day) in wanted)

    def periods(self) -> Periods | None:
        """The last weeks, at most four, against as many before them; None if there are fewer than two."""
        weeks = sorted({monday(day) for day in self.counts})
        if not weeks:
            return None
        length = min(_MAX_WEEKS, ((weeks[-1] - weeks[0]).days // 7 + 1) // 2)
        back = [weeks[-1] - timedelta(weeks=step) for step in range(2 * length)]
        return Periods(tuple(back[:length][::-1]), tuple(back[length:][::-1])) if length else None

    def steps(self) -> list[tuple[str, Counter[str]]]:
        """Counts by day, week or month: the finest that gives at most 45 steps of those with contacts; else months."""
        days = sorted(self.counts)
        for name in (lambda day: f"{day:%m-%d}", lambda day: f"{monday(day):%m-%d} 周", lambda day: f"{day:%Y-%m}"):
            steps = [(key, _sum(self.counts[day] for day in group)) for key, group in groupby(days, name)]
            if len(steps) <= _MAX_STEPS:
                break
        return steps[-_MAX_STEPS:]


def monday(day: date) -> date:
    """The Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def day_of(time: datetime | None) -> date | None:
    """The day of a time, if there is one that weeks can be counted from."""
    return None if time is None or time.year < 1900 else time.date()


def _stretch(weeks: Sequence[date]) -> str:
    return f"{weeks[0]:%Y-%m-%d} 至 {weeks[-1] + timedelta(days=6):%Y-%m-%d}"


def _sum(many: Iterable[Counter[str]]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for counts in many:
        whole.update(counts)
    return whole
