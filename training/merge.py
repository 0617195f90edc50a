"""Many files of labels become one: conflicts are resolved by a stated rule, and where every label came from is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from training.cases import RawRecord, is_made_up, plain_words
from training.label_values import read_labels, split_named, strictest
from triage.batch.cells import iso_date
from triage.case import Case
from triage.errors import InputError
from triage.privacy import mask_text
from triage.taxonomy import Code, Head, Taxonomy

Rule = Literal["latest", "majority", "refuse"]
RULES: tuple[Rule, ...] = get_args(Rule)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_WORDS = ("text", "turns")
_OF_A_PASS = ("labels", "annotator", "labelled_at", "passes")


@dataclass(frozen=True, slots=True)
class Pass:
    """What one annotator said about one case, at which place of which file."""

    place: str
    fields: Mapping[str, Any]
    labels: Mapping[str, Any]
    annotator: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """A head of a case that was labelled in several ways; `label` is what the rule made of it, None if left open."""

    id: str
    head: str
    given: dict[str, Any]
    label: Any


@dataclass(slots=True)
class Merged:
    """The merged records as JSON objects, in the order in which their ids first came; and what went wrong.

    Cases of which nobody said anything are not records; `unlabelled` counts them. `unused` counts columns, and names of
    labels, that nothing was made of.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    passes: int = 0
    unlabelled: int = 0
    unused: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The report, for JSON: counts, conflicts and problems."""
        return {
            "records": len(self.records),
            "passes": self.passes,
            "unlabelled": self.unlabelled,
            "open": len(self.open),
            "unused": self.unused,
            "conflicts": [asdict(conflict) for conflict in self.conflicts],
            "problems": self.problems,
        }

    @property
    def open(self) -> list[Conflict]:
        """The conflicts that the rule did not resolve."""
        return [conflict for conflict in self.conflicts if conflict.label is None]


def merge(rows: Iterable[RawRecord], taxonomy: Taxonomy, rule: Rule) -> Merged:
    """Put together what was said of each id.

    The same id and the same words are one case; of an id that a reader made up, each text is a case of its own, called
    by its first place. A case has the strictest split and all the evidence that any pass names, of the rest what the
    first one says.

    An annotator's later label replaces the earlier one. Where annotators differ on a head: `latest` takes the newest
    label (without a time: the one further on in the input, and any with a time is newer); `majority` takes what more
    than half say, for a multi-label head label by label, and leaves a tie open; `refuse` leaves it open. An open head
    has no label in the record.
    """
    merged = Merged()
    together: dict[str, list[Pass]] = defaultdict(list)
    for raw in rows:
        try:
            one = _read(raw, taxonomy)
        except InputError as error:
            merged.problems.append(f"{raw.place}: {error}")
        else:
            together[str(one.fields["id"])].append(one)
            merged.passes += 1
    for passes in together.values():
        for group in _by_words(passes, merged):
            if any(one.labels for one in group):
                merged.records.append(_record(group, taxonomy, rule, merged.conflicts))
            else:
                merged.unlabelled += 1
    return merged


def rule_named(name: str) -> Rule:
    """The rule of that name; InputError if there is none."""
    for rule in RULES:
        if rule == name:
            return rule
    raise InputError(f"rule: allowed are {', '.join(RULES)}; given {name!r}")


def _read(raw: RawRecord, taxonomy: Taxonomy) -> Pass:
    if raw.problem:
        raise InputError(raw.problem)
    fields = {**raw.fields, "split": split_named(raw.fields.get("split"))}
    labels = read_labels(fields["labels"], taxonomy)
    if _has_words(fields):
        Case.read(fields)
    at = _LONG_AGO
    if given := fields.get("labelled_at"):
        try:
            at = datetime.fromisoformat(iso_date(str(given)))
        except ValueError:
            raise InputError(f"labelled_at: a date and time is needed, given {str(given)[:40]!r}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Pass(raw.place, fields, labels, str(fields.get("annotator", "")), at)


def _by_words(passes: Sequence[Pass], merged: Merged) -> list[list[Pass]]:
    """Passes over the same words. Labels alone go to the words of their id; without any they are a problem."""
    groups: dict[str, list[Pass]] = {}
    for one in passes:
        if _has_words(one.fields):
            groups.setdefault(_words(one.fields), []).append(one)
    given = str(passes[0].fields["id"])
    if len(groups) > 1 and is_made_up(given):
        groups = {words: _called_by_place(group) for words, group in groups.items()}
    elif len(groups) > 1:
        places = ", ".join(group[0].place for group in groups.values())
        merged.problems.append(f"{places}: id {given} stands for different texts; each stays a record of its own")
    for one in passes:
        if not _has_words(one.fields) and len(groups) == 1:
            next(iter(groups.values())).append(one)
        elif not _has_words(one.fields):
            merged.problems.append(f"{one.place}: labels of {given}, and {len(groups) or 'no'} texts they could be of")
    order = {one.place: place for place, one in enumerate(passes)}
    return [sorted(group, key=lambda one: order[one.place]) for group in groups.values()]


def _called_by_place(passes: Sequence[Pass]) -> list[Pass]:
    return [replace(one, fields={**one.fields, "id": passes[0].place}) for one in passes]


def _record(passes: Sequence[Pass], taxonomy: Taxonomy, rule: Rule, conflicts: list[Conflict]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for one in passes:
        known = {*_OF_A_PASS, *(_WORDS if _has_words(fields) else ())}
        said = {name: value for name, value in one.fields.items() if name not in known and value not in ("", None)}
        fields = {**said, **fields}
    fields |= _of_all(passes)
    labels = {}
    for head in taxonomy.heads:
        given = [one for one in _newest(passes) if head.name in one.labels]
        if not given:
            continue
        kinds = {_key(head, one.labels[head.name]) for one in given}
        label = given[-1].labels[head.name] if len(kinds) == 1 else _resolve(head, given, rule)
        if len(kinds) > 1:
            said = {one.annotator or one.place: one.labels[head.name] for one in given}
            conflicts.append(Conflict(str(fields["id"]), head.name, said, label))
        if label is not None:
            labels[head.name] = label
    origins = [origin for one in passes for origin in (*one.fields.get("passes", ()), _provenance(one))]
    return {**_masked(fields), "labels": labels, "passes": origins}


def _of_all(passes: Sequence[Pass]) -> dict[str, Any]:
    """What the passes say together: the strictest split, if any names one, and every quote."""
    split = strictest({one.fields["split"] for one in passes})
    quotes = [quote for one in passes for quote in _quotes(one.fields)]
    return {"evidence": quotes, **({"split": split} if split else {})}


def _newest(passes: Sequence[Pass]) -> list[Pass]:
    """The passes from old to new, of each annotator the newest label of a head only."""
    ordered = sorted(passes, key=lambda one: one.at)
    seen: set[tuple[str, str]] = set()
    kept = []
    for one in reversed(ordered):
        who = one.annotator or one.place
        labels = {name: label for name, label in one.labels.items() if (who, name) not in seen}
        seen |= {(who, name) for name in labels}
        kept.append(Pass(one.place, one.fields, labels, one.annotator, one.at))
    return kept[::-1]


def _resolve(head: Head, given: Sequence[Pass], rule: Rule) -> Any:
    values = [one.labels[head.name] for one in given]
    if rule == "latest":
        return values[-1]
    if rule == "majority":
        return _majority(head, values)
    return None


def _majority(head: Head, values: Sequence[Any]) -> Code | list[Code] | None:
    counts = Counter(code for value in values for code in (value if head.kind == "multi" else [value]))
    half = len(values) / 2
    if head.kind == "multi":
        return None if half in counts.values() else [code for code in counts if counts[code] > half]
    return next((code for code, count in counts.items() if count > half), None)


def _key(head: Head, value: Any) -> Any:
    return frozenset(value) if head.kind == "multi" else value


def _provenance(one: Pass) -> dict[str, Any]:
    at = None if one.at == _LONG_AGO else one.at.isoformat()
    return {"from": one.place, "annotator": mask_text(one.annotator), "at": at, "labels": dict(one.labels)}


def _has_words(fields: Mapping[str, Any]) -> bool:
    return any(fields.get(name) for name in _WORDS)


def _quotes(fields: Mapping[str, Any]) -> Sequence[str]:
    quotes: Sequence[str] = fields.get("evidence") or ()
    return (quotes,) if isinstance(quotes, str) else quotes


def _words(fields: Mapping[str, Any]) -> str:
    return plain_words("\n".join(one.text for one in Case.read(fields).utterances()))


def _masked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The record as it may be written: identifiers of persons masked in words and quotes, no quote twice."""
    kept = dict(fields)
    if kept.get("text"):
        kept["text"] = mask_text(kept["text"])
    else:
        kept.pop("text", None)
    if kept.get("turns"):
        kept["turns"] = [{**turn, "text": mask_text(turn["text"])} for turn in kept["turns"]]
    kept["evidence"] = list(dict.fromkeys(map(mask_text, kept["evidence"])))
    return kept
