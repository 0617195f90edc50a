"""What to improve: each issue with what it costs, where it gathers, typical cases and who should take it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.batch.report.dimensions import CONTACTS, DIMENSIONS, shown_value
from triage.batch.report.excerpts import Excerpt
from triage.batch.report.significance import FALSE_DISCOVERIES, Share, adjusted, p_value
from triage.batch.report.survey import Survey

STEPS = ("分派", "解决", "反馈", "复核", "确认")
MAX_ITEMS = 12
_MAX_PLACES = 3


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. `severe` of its contacts are to be reported at once; `loss` is what is expected of them.

    `places` are groups where it is frequent.
    """

    issue: str
    contacts: int
    severe: int
    loss: float
    rising: bool
    places: tuple[str, ...]
    owner: str
    typical: tuple[Excerpt, ...]


def improvements(survey: Survey, names: Mapping[str, str], rising: Sequence[str], smallest: int) -> list[Item]:
    """The issues that cost most, those of fewer than `smallest` contacts left out."""
    ranked = sorted(survey.issues.ranked(smallest), key=lambda item: -survey.issues.loss[item[0]])
    places = _places(survey, [code for code, _ in ranked], smallest)
    items = []
    for code, counts in ranked[:MAX_ITEMS]:
        owners = [(count, name.partition(":")[2]) for name, count in counts.items() if name.startswith("owner:")]
        items.append(
            Item(
                names[code],
                counts[CONTACTS],
                counts["report"],
                survey.issues.loss[code],
                names[code] in rising,
                tuple(places.get(code, [])[:_MAX_PLACES]),
                max(owners)[1],
                tuple(survey.excerpts.of("issue", code)),
            )
        )
    return items


def _places(survey: Survey, issues: Sequence[str], smallest: int) -> dict[str, list[str]]:
    """For each issue the values of a dimension where it is significantly more frequent than elsewhere."""
    tested = []
    for name, groups in survey.groups.items():
        total = groups.total()
        for value, counts in groups.ranked(smallest):
            for code in issues:
                own = Share(counts[f"issue:{code}"], counts[CONTACTS])
                other = Share(total[f"issue:{code}"] - own.count, total[CONTACTS] - own.whole)
                if own.count >= smallest and own.value > other.value:
                    tested.append((p_value(own, other), code, f"{DIMENSIONS[name]} {shown_value(value)}"))
    rates = adjusted([p for p, _, _ in tested])
    found: dict[str, list[str]] = {}
    for (_, code, place), rate in sorted(zip(tested, rates, strict=True)):
        if rate <= FALSE_DISCOVERIES:
            found.setdefault(code, []).append(place)
    return found
