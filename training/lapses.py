"""How well the hints at agent lapses agree with conversations that were labelled for them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triage.case import Case
from triage.errors import InputError
from triage.lapses import LapseFinder, load_lapses
from triage.prepare import prepare
from triage.segment import Segmenter
from triage.signals import SignalFinder, load_lexicon


@dataclass(frozen=True, slots=True)
class LapseFigures:
    """Counts of conversations for one kind: found and meant, found and not, missed; and found in the very turn."""

    right: int
    wrong: int
    missed: int
    in_turn: int

    @property
    def precision(self) -> float | None:
        """Of what was found, how much was meant."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Of what was meant, how much was found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def read_labelled(path: Path) -> Iterator[tuple[Case, dict[str, int]]]:
    """Cases with their lapses: kind to turn. InputError names the line that is none."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            lapses = {one["kind"]: int(one["turn"]) for one in record["lapses"]}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}:{number}: a case with lapses is needed: {type(error).__name__}") from None
        yield Case.read(record), lapses


def measure(paths: Sequence[Path]) -> dict[str, LapseFigures]:
    """Figures by kind and, under `all`, of all kinds together."""
    lexicon = load_lexicon()
    find_signals, find_lapses = SignalFinder(lexicon), LapseFinder(load_lapses(lexicon.kinds))
    segmenter = Segmenter(words=())
    counts = {kind: Counter[str]() for kind in (*find_lapses.lapses, "all")}
    for path in paths:
        for case, meant in read_labelled(path):
            utterances = prepare(case, segmenter)
            hints = find_lapses(utterances, find_signals(utterances))
            found = {(one.kind, one.turn) for one in hints}
            kinds = {kind for kind, _ in found}
            for kind in kinds | meant.keys():
                fate = "missed" if kind not in kinds else "right" if kind in meant else "wrong"
                fates = [fate, "in_turn"] if (kind, meant.get(kind)) in found else [fate]
                counts[kind].update(fates)
                counts["all"].update(fates)
    return {kind: LapseFigures(*(seen[name] for name in LapseFigures.__slots__)) for kind, seen in counts.items()}
