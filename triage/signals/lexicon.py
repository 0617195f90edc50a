"""The tables: which phrases make a kind of signal, and which surroundings take a hit back. Read once, compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from triage.errors import SettingsError
from triage.settings_file import Settings, load_settings
from triage.signals.phrase import Lists, PhraseError, Phrases, compile_frames, compile_phrases, parse_list

DEFAULT_LEXICON = Path(str(resources.files("triage.lexicon")))
# YAML reads a bare 12315 as a number.
Phrase = Annotated[str, BeforeValidator(lambda given: str(given) if type(given) is int else given)]
Entries = tuple[Phrase, ...]
NamedLists = dict[str, Entries]


class VetoTable(Settings):
    """Surroundings in which a hit does not count, and `unless`: surroundings in which it counts all the same."""

    zh: str
    frames: Entries = Field(min_length=1)
    unless: Entries = ()


class ContextTable(Settings):
    """`context.yaml`: what all kinds share."""

    version: str
    lists: NamedLists = {}
    agent_words: Entries
    vetoes: dict[str, VetoTable]
    withdrawn: VetoTable
    withdrawals: VetoTable


class KindTable(Settings):
    """`kinds/<code>.yaml`: one kind of signal.

    `vetoes` names the shared vetoes that apply; `innocent` are words that a hit must not overlap, or frames of its
    own; `where: end` counts hits in the last part of the contact only; `withdrawable` hits can be taken back later.
    """

    code: str = Field(pattern=r"^[a-z][a-z_]*$")
    zh: str
    en: str
    vetoes: tuple[str, ...] = ()
    withdrawable: bool = False
    where: Literal["anywhere", "end"] = "anywhere"
    lists: NamedLists = {}
    phrases: Entries = Field(min_length=1)
    innocent: Entries = ()


@dataclass(frozen=True, slots=True)
class Veto:
    """Compiled surroundings; both patterns are searched in a window in which `HIT` stands for the hit."""

    frames: Phrases
    unless: Phrases

    def __call__(self, window: str) -> bool:
        return self.frames.search(window) is not None and self.unless.search(window) is None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of signal: names for people, patterns for the finder."""

    code: str
    zh: str
    en: str
    withdrawable: bool
    at_end: bool
    phrases: Phrases
    innocent: Phrases
    vetoes: tuple[Veto, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All kinds by code, and what they share. `version` is the tables' own, as reported in every answer."""

    version: str
    kinds: Mapping[str, Kind]
    agent_words: Phrases
    withdrawn: Veto
    withdrawals: Phrases
    still_meant: Phrases


def load_lexicon(path: Path | None = None) -> Lexicon:
    """Read the folder `path` (default: the packaged tables); SettingsError names the file and the line."""
    folder = path or DEFAULT_LEXICON
    shared = _Source(folder / "context.yaml")
    context = load_settings(shared.path, ContextTable)
    lists = shared.lists(context.lists, {})
    vetoes = {name: shared.veto(table, lists) for name, table in context.vetoes.items()}
    kinds = [_kind(_Source(file), lists, vetoes) for file in sorted((folder / "kinds").glob("*.yaml"))]
    return Lexicon(
        version=context.version,
        kinds={kind.code: kind for kind in kinds},
        agent_words=shared.phrases(context.agent_words, lists),
        withdrawn=shared.veto(context.withdrawn, lists),
        withdrawals=shared.phrases(context.withdrawals.frames, lists),
        still_meant=shared.frames(context.withdrawals.unless, lists),
    )


def _kind(source: _Source, shared: Lists, vetoes: Mapping[str, Veto]) -> Kind:
    table = load_settings(source.path, KindTable)
    if table.code != source.path.stem:
        raise SettingsError(source.message(table.code, f"code: must be the file's name {source.path.stem}"))
    for name in table.vetoes:
        if name not in vetoes:
            raise SettingsError(source.message(name, f"vetoes: allowed are {', '.join(vetoes)}; given {name!r}"))
    lists = source.lists(table.lists, shared)
    own = [entry for entry in table.innocent if "*" in entry]
    return Kind(
        code=table.code,
        zh=table.zh,
        en=table.en,
        withdrawable=table.withdrawable,
        at_end=table.where == "end",
        phrases=source.phrases(table.phrases, lists),
        innocent=source.phrases([entry for entry in table.innocent if "*" not in entry], lists),
        vetoes=(*(vetoes[name] for name in table.vetoes), Veto(source.frames(own, lists), source.frames((), lists))),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """One file, so that a broken phrase is reported with its line."""

    path: Path

    def message(self, words: str, reason: str) -> str:
        """`reason` after the file and the line on which `words` begin; a phrase may go over several lines."""
        text = self.path.read_text("utf-8")
        lines = [number for number, line in enumerate(text.splitlines(), 1) for _ in "".join(line.split())]
        place = "".join(text.split()).find("".join(words.split()))
        return f"{self.path}:{lines[max(place, 0)]}: {reason}"

    def lists(self, lists: NamedLists, known: Lists) -> Lists:
        """The lists of a file after those already known; one may use those above it."""
        parsed = dict(known)
        for name, phrases in lists.items():
            try:
                parsed[name] = parse_list(phrases, parsed)
            except PhraseError as error:
                raise SettingsError(self.message(error.phrase, str(error))) from error
        return parsed

    def phrases(self, phrases: Iterable[str], lists: Lists) -> Phrases:
        try:
            return compile_phrases(phrases, lists)
        except PhraseError as error:
            raise SettingsError(self.message(error.phrase, str(error))) from error

    def frames(self, frames: Iterable[str], lists: Lists) -> Phrases:
        try:
            return compile_frames(frames, lists)
        except PhraseError as error:
            raise SettingsError(self.message(error.phrase, str(error))) from error

    def veto(self, table: VetoTable, lists: Lists) -> Veto:
        return Veto(self.frames(table.frames, lists), self.frames(table.unless, lists))
