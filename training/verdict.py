"""Whether the second of two models may take the place of the first: the rules, each a sentence when it is broken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from training.compare import Comparison, Gain

Outcome = Literal["better", "worse", "not shown to differ"]
CALIBRATION_ROOM = 0.02
UNMEASURED = "severe recall was not measured: none of the cases is labelled with a severe tier; add some that are"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`meets_margin`: b surely gains more than the margin asked for, and `losses` is empty.

    `outcome` is that of the mean agreement alone, whatever the margin.
    """

    margin: float
    outcome: Outcome
    meets_margin: bool
    losses: tuple[str, ...]


def judge(comparison: Comparison, margin: float = 0.0) -> Verdict:
    """The verdict on b: its mean agreement must surely rise by more than `margin` (negative: may fall by as much).

    No head may surely lose more than a negative margin allows, and severe recall may not surely fall at all.
    """
    mean, allowed = comparison.mean, min(margin, 0.0)
    losses = [_sentence(name, gain) for name, gain in comparison.heads.items() if _surely_below(gain, allowed)]
    losses += [
        _sentence(f"severe {name}", gain)
        for name, gain in comparison.severe.items()
        if name == "recall" and _surely_below(gain, 0.0)
    ]
    enough = mean.low is not None and mean.low > margin
    return Verdict(margin, _outcome(mean), enough and not losses, tuple(losses))


def safety_losses(comparison: Comparison) -> tuple[str, ...]:
    """What no model may lose when it comes into use: any severe case on balance, and more than a little calibration.

    Where no case is severe, nobody knows whether it would.
    """
    found = []
    recall = comparison.severe.get("recall")
    if severe_unmeasured(comparison):
        found.append(UNMEASURED)
    elif recall is not None and recall.gain < 0:
        found.append(_sentence("severe recall", recall))
    error = comparison.calibration
    if error.gain > CALIBRATION_ROOM or (error.low is not None and error.low > 0):
        found.append(f"calibration is lost: the mean error rises {signed(error.gain)} ({interval(error)})")
    return tuple(found)


def severe_unmeasured(comparison: Comparison) -> bool:
    """Whether the policy calls tiers severe and no case is labelled with one."""
    recall = comparison.severe.get("recall")
    return bool(comparison.severe_codes) and (recall is None or math.isnan(recall.gain))


def signed(value: float) -> str:
    """Three decimals with a sign; a dash where there is nothing to measure."""
    return "–" if math.isnan(value) else f"{value:+.3f}"


def interval(gain: Gain) -> str:
    """The interval of a gain in words."""
    return "no interval" if gain.low is None or gain.high is None else f"{signed(gain.low)} to {signed(gain.high)}"


def _surely_below(gain: Gain, bound: float) -> bool:
    return gain.high is not None and gain.high < bound


def _outcome(mean: Gain) -> Outcome:
    if mean.low is not None and mean.low > 0:
        return "better"
    return "worse" if _surely_below(mean, 0.0) else "not shown to differ"


def _sentence(name: str, gain: Gain) -> str:
    return f"{name} is lost: {signed(gain.gain)} ({interval(gain)})"
