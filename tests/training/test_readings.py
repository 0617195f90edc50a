"""Labels find their passages by digest; what is not allowed or not there is said."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra")

from training.cases import LabelledCase, read_cases
from training.passages import read_passages
from training.readings import read_readings
from training.recipe import Source
from training.splits import Splits, with_splits
from triage.errors import InputError
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
TEXT = "\u6253\u4e86\u4e09\u6b21\u7535\u8bdd\u6ca1\u4eba\u7ba1"


def _file(folder: Path, text: str) -> Path:
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = {"source": "a.txt", "sha256": digest, "channel": "call", "labels": {"emotion": "upset"}}
    (folder / "a.txt").write_text(f"x\n{TEXT}\n", "utf-8")
    (folder / "readings.jsonl").write_text(json.dumps(row), "utf-8")
    return folder / "readings.jsonl"


def _source(path: str) -> Source:
    return Source(path=path, kind="passages", licence="CC0", permissive=True)


def test_a_passage_is_found_by_its_digest(tmp_path: Path) -> None:
    file = _file(tmp_path, TEXT)
    (record,) = read_readings([file], tmp_path, [_source("a.txt")], TAXONOMY, [])
    assert (record.case.text, record.labels, record.split) == (TEXT, {"emotion": "upset"}, "train")


def test_a_source_left_out_gives_nothing(tmp_path: Path) -> None:
    file = _file(tmp_path, TEXT)
    assert read_readings([file], tmp_path, [_source("b.txt")], TAXONOMY, []) == []


def test_a_missing_passage_is_an_error(tmp_path: Path) -> None:
    file = _file(tmp_path, "elsewhere")
    with pytest.raises(InputError, match="1 passages that carry labels are missing"):
        read_readings([file], tmp_path, [_source("a.txt")], TAXONOMY, [])


TURNS = [{"speaker": "customer", "text": TEXT}, {"speaker": "agent", "text": "x"}, {"speaker": "customer", "text": "y"}]


def _beginning(folder: Path, split: str, turns: int) -> tuple[Path, list[LabelledCase]]:
    """A reading of the conversation of a customer who has a dev case, too, and the training cases there are."""
    labels, customer = {"emotion": "calm"}, {"customer_key": "k"}
    rows = [
        {"id": "d1", "channel": "chat", "turns": TURNS, "labels": labels, "split": split, **customer},
        {"id": "d2", "text": "x", "turns": None, "labels": labels, "split": "dev", **customer},
    ]
    row = {"source": "labelled/d.ndjson", "id": "d1", "turns": turns, "labels": {"emotion": "upset"}}
    (folder / "labelled").mkdir()
    cases = folder / "labelled" / "d.ndjson"
    cases.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "readings.jsonl").write_text(json.dumps(row), "utf-8")
    return folder / "readings.jsonl", Splits.of(with_splits(read_cases([cases], TAXONOMY))).train


@pytest.mark.parametrize("split", ["train", "训练"])
def test_a_beginning_of_a_training_conversation_has_labels_of_its_own(tmp_path: Path, split: str) -> None:
    file, training = _beginning(tmp_path, split, 2)
    (record,) = read_readings([file], tmp_path, [_source("labelled/*")], TAXONOMY, training)
    assert record.case.turns is not None
    assert [turn.text for turn in record.case.turns] == [TEXT, "x"]
    assert (record.case.channel, record.labels, record.split) == ("chat", {"emotion": "upset"}, "train")


@pytest.mark.parametrize(("split", "turns"), [("dev", 2), ("", 2), ("train", 3)])
def test_what_is_not_the_beginning_of_a_training_conversation_is_an_error(
    tmp_path: Path, split: str, turns: int
) -> None:
    file, training = _beginning(tmp_path, split, turns)
    with pytest.raises(InputError, match="missing"):
        read_readings([file], tmp_path, [_source("labelled/*")], TAXONOMY, training)


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.CSV", "cases.jsonl.xz"])
def test_labelled_files_are_no_passages(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="passages: text files are needed"):
        next(read_passages(tmp_path, [_source(name)]))
