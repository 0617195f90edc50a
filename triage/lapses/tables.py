"""The tables of lapses: what an agent should not have said, or should have said and did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import model_validator

from triage.errors import SettingsError
from triage.signals.lexicon import DEFAULT_LEXICON, Entries, Kind, KindTable, Source, compile_kind, read_shared
from triage.signals.phrase import Phrases


class LapseTable(KindTable):
    """`lapses/<code>.yaml`: as a kind of signal, but said by the agent, and with conditions on the conversation.

    `after`, `told`: counts only after one of these signals of the customer, or one of these words of theirs.
    `reproach`: where the customer says one of these, the agent's turn just before is a lapse. `unsaid`: no lapse if the
    agent says one of these, from there on (without `after` and `told`: from the hit's turn on). `earlier`: no lapse if
    the agent said one of these before. `answered`: no lapse if the customer's words just before hold one of these.
    Without `phrases`, the lapse lies in the agent's next turn after the signal.
    """

    phrases: Entries = ()
    after: tuple[str, ...] = ()
    told: Entries = ()
    reproach: Entries = ()
    unsaid: Entries = ()
    earlier: Entries = ()
    answered: Entries = ()

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if not self.phrases and not ((self.after or self.told) and self.unsaid):
            raise ValueError("a lapse needs phrases, or after and unsaid")
        return self


@dataclass(frozen=True, slots=True)
class Lapse:
    """One kind of lapse, compiled."""

    kind: Kind
    said: bool
    after: tuple[str, ...]
    told: Phrases | None
    reproach: Phrases | None
    unsaid: Phrases | None
    earlier: Phrases | None
    answered: Phrases | None


def load_lapses(signals: Mapping[str, Kind], path: Path | None = None) -> dict[str, Lapse]:
    """Read the tables in the folder `path` of a lexicon (default: the packaged one); SettingsError names the line."""
    folder = path or DEFAULT_LEXICON
    shared = read_shared(folder)
    lapses = {}
    for file in sorted((folder / "lapses").glob("*.yaml")):
        source = Source(file)
        table, kind = compile_kind(source, LapseTable, shared)
        for name in table.after:
            if name not in signals:
                raise SettingsError(source.message(name, f"after: allowed are {', '.join(signals)}; given {name!r}"))
        lists = source.lists(table.lists, shared.lists)
        conditions = (
            source.phrases(phrases, lists) if phrases else None
            for phrases in (table.told, table.reproach, table.unsaid, table.earlier, table.answered)
        )
        lapses[table.code] = Lapse(kind, bool(table.phrases), table.after, *conditions)
    return lapses
