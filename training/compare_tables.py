"""A comparison as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.compare import Gain
from training.compare_models import SideBySide
from training.tables import number, table
from training.verdict import UNMEASURED, interval, severe_unmeasured, signed

_WORST_SLICES = 12


def as_markdown(found: SideBySide) -> str:
    """Verdict first, then heads, severe tiers, slices that lose, severe misses one by one, speed."""
    return "\n\n".join(_parts(found))


def _parts(found: SideBySide) -> Iterator[str]:
    comparison, verdict = found.comparison, found.verdict
    names = [f"{side.name} {side.version}" for side in (found.a, found.b)]
    yield f"# {plain(names[1])} (b) beside {plain(names[0])} (a)"
    yield f"{comparison.cases} cases, split {found.split}. Kappa, quadratic where ordered; micro-F1 of several labels."
    asked = f"asked for at least {signed(verdict.margin)}"
    answer = "meets" if verdict.meets_margin else "does not meet"
    mean = comparison.mean
    yield (
        f"**b is {verdict.outcome}** by mean agreement: {signed(mean.gain)} ({interval(mean)} at 95 %), {asked}. "
        f"b {answer} the margin{''.join(f'; {one}' for one in verdict.losses)}."
    )
    rows = [_row(name, gain) for name, gain in comparison.heads.items()]
    rows = [
        [*row, f"{test.only_a} / {test.only_b}", f"{test.p:.3f}"]
        for row, test in zip(rows, comparison.mcnemar.values(), strict=True)
    ]
    yield "## Heads"
    yield "Intervals hold together at 95 %. Only a / only b: cases one alone has right; p: exact McNemar."
    yield table(["head", "cases", "a", "b", "gain", "interval", "only a / only b", "p"], rows)
    further = [_row(f"severe {name}", gain) for name, gain in comparison.severe.items()]
    if severe_unmeasured(comparison):
        yield f"**Careful:** {UNMEASURED}."
    further.append(_row("calibration error (mean; less is better)", comparison.calibration))
    yield table(["figure", "cases", "a", "b", "gain", "interval"], further)
    yield "## Slices where b loses most"
    losing = sorted((item for item in comparison.slices.items() if item[1].gain < 0), key=lambda item: item[1].gain)
    worst = [[name, *_row(head, gain)] for (name, head), gain in losing[:_WORST_SLICES]]
    yield table(["slice", "head", "cases", "a", "b", "gain", "interval"], worst) if worst else "None."
    yield "## Severe cases missed"
    misses = [
        [plain(miss.id), miss.channel, str(miss.wanted), str(miss.a), str(miss.b), plain(miss.text)]
        for miss in found.misses
    ]
    yield table(["id", "channel", "wanted", "a", "b", "customer's words (masked)"], misses) if misses else "None."
    yield "## Speed"
    speed = [
        [side, f"{one.cases_per_second:.1f}", f"{one.milliseconds_alone:.1f}"]
        for side, one in (("a", found.a), ("b", found.b))
    ]
    yield table(["model", "cases a second, in batches", "ms for one case (median)"], speed)


def plain(text: str) -> str:
    """The text such that Markdown and HTML find nothing in it to act on."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def _row(name: str, gain: Gain) -> list[str]:
    change = "–" if gain.low is None else signed(gain.gain)
    return [name, str(gain.cases), number(gain.a), number(gain.b), change, interval(gain)]
