"""Heads and labels: what a contact can be called. A label set is data; another organisation's is another file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from triage.case import Case
from triage.settings_file import Settings, load_settings

Kind = Literal["single", "ordered", "multi"]
DEFAULT_TAXONOMY = Path(str(resources.files("triage.defaults").joinpath("taxonomy.yaml")))
AFTER_HEADS = (
    "evidence",
    "owner",
    "present_owner_may",
    "respond_within_minutes",
    "actions",
    "review_needed",
    "review_reasons",
    "agent_lapses",
    "agent_lapse_words",
    "model_version",
    "error_code",
    "error_detail",
)
"""Columns of flat results that stand behind those of the heads, in their order."""
_OF_RESULTS = ("handling", "review", "model", "error")
_OF_LABELLED_CASES = ("labels", "split", "source", "pair", "annotator", "labelled_at", "reason")
TAKEN = frozenset([*Case.model_fields, *AFTER_HEADS, *_OF_RESULTS, *_OF_LABELLED_CASES])
"""Names of what stands beside the heads in files of cases and of results."""


def _not_a_truth_value(code: object) -> object:
    if isinstance(code, bool):
        raise ValueError("a code is a word or a whole number; put a yes, no, on, off, true or false in quotes")
    return code


Code = Annotated[int | str, BeforeValidator(_not_a_truth_value)]


class Label(Settings):
    """One value of a head: its code, its Chinese and its English name."""

    code: Code
    zh: str
    en: str


class Head(Settings):
    """One question asked of every contact.

    `single`: one label of several; `ordered`: one label, labels in rising order; `multi`: any number of labels.
    `neutral` is the label that says nothing is the matter and needs no evidence.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    zh: str
    en: str
    neutral: Code | None = None
    labels: tuple[Label, ...] = Field(min_length=2)

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in TAKEN:
            raise ValueError("files of cases and results have a column of this name; give the head another")
        return name

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        if repeated := _repeated(map(str, self.codes)):
            raise ValueError(f"label codes must differ, given twice: {repeated}")
        if repeated := _repeated(label.zh for label in self.labels):
            raise ValueError(f"Chinese names of labels must differ, given twice: {repeated}")
        if self.neutral is not None and self.neutral not in self.codes:
            raise ValueError(f"neutral must be one of {list(self.codes)}, given {self.neutral!r}")
        return self

    @cached_property
    def codes(self) -> tuple[Code, ...]:
        """Codes in the order of the file; for an ordered head that is the rank."""
        return tuple(label.code for label in self.labels)

    def index(self, code: Code) -> int:
        """Position of a code; KeyError if it is not a label of this head. `"2"` and `2` are the same code."""
        for position, known in enumerate(self.codes):
            if str(known) == str(code):
                return position
        raise KeyError(f"{self.name}: allowed are {list(self.codes)}, given {code!r}")


class Taxonomy(Settings):
    """A versioned set of heads."""

    name: str
    version: str
    heads: tuple[Head, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        columns = [f"{head.name}{suffix}" for head in self.heads for suffix in ("", "_name", "_score")]
        if repeated := _repeated(columns):
            raise ValueError(f"head names must differ, also with _name and _score after them; given twice: {repeated}")
        return self

    def __hash__(self) -> int:
        return hash(self.id)

    def head(self, name: str) -> Head:
        """The head of that name; KeyError if there is none."""
        for head in self.heads:
            if head.name == name:
                return head
        raise KeyError(f"taxonomy {self.name}: heads are {[h.name for h in self.heads]}, given {name!r}")

    def labels(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The labels of a person, head by head, as codes of this set. An absent or null one is unknown and left out.

        Heads that are not of this set are ignored; KeyError for a label that is not one of its head.
        """
        known: dict[str, Any] = {}
        for head in self.heads:
            value = given.get(head.name)
            if value is not None:
                codes = [head.codes[head.index(code)] for code in (value if head.kind == "multi" else [value])]
                known[head.name] = codes if head.kind == "multi" else codes[0]
        return known

    @property
    def id(self) -> str:
        """Name and version, as reported in every answer."""
        return f"{self.name}-{self.version}"


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def load_taxonomy(path: Path = DEFAULT_TAXONOMY) -> Taxonomy:
    """Read and validate a taxonomy file; SettingsError names the line."""
    return load_settings(path, Taxonomy)
