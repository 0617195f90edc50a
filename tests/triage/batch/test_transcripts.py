"""Text files, one call each, with speaker marks of several kinds and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.batch.read import find_inputs, open_sources, read_rows
from triage.batch.rows import Row
from triage.batch.transcripts import turns_of
from triage.case import Case
from triage.result import RowError

A, C, U = "agent", "customer", "unknown"
MARKED = {
    "names": ("客服：您好\n客户：没人管\n客服：抱歉\n", [(A, "您好"), (C, "没人管"), (A, "抱歉")]),
    "ascii colon": ("坐席: 您好\r\n用户: 没人管\r\n", [(A, "您好"), (C, "没人管")]),
    "numbers": ("坐席012：您好\n客户1：没人管", [(A, "您好"), (C, "没人管")]),
    "english": ("Agent: hello\nCustomer: hi", [(A, "hello"), (C, "hi")]),
    "time first": ("[00:00:05] 客服：您好\n[00:00:09] 客户：没人管", [(A, "您好"), (C, "没人管")]),
    "time after": ("客服 09:20:05：您好\n客户 09:20:09：没人管", [(A, "您好"), (C, "没人管")]),
    "a line of its own": ("客服 2024-03-05 09:20:05\n您好\n客户\n没人管\n三天了", [(A, "您好"), (C, "没人管\n三天了")]),
    "brackets": ("【客服】：您好\n【客户】：没人管", [(A, "您好"), (C, "没人管")]),
    "recogniser": ("说话人1 00:01\n您好\n说话人2 00:04\n没人管", [(U, "您好"), (U, "没人管")]),
    "words before": ("通话开始\n客服：您好\n客户：没人管", [(U, "通话开始"), (A, "您好"), (C, "没人管")]),
    "words with a colon": (
        "客服：您好\n客户：我说：没人管\n时间：昨天",
        [(A, "您好"), (C, "我说：没人管\n时间：昨天")],
    ),
    "an empty turn": ("客服：\n客户：没人管", [(C, "没人管")]),
}


@pytest.mark.parametrize("kind", MARKED)
def test_marks(kind: str) -> None:
    text, turns = MARKED[kind]
    assert [(turn["speaker"], turn["text"]) for turn in turns_of(text)] == turns


@pytest.mark.parametrize(
    "text", ["没人管我都打了三次了", "客户：没人管", "客户您好这边是客服", "客户说没人管\n客服说抱歉", ""]
)
def test_no_marks(text: str) -> None:
    assert turns_of(text) == []


def read(*paths: Path) -> list[Row]:
    return list(read_rows(open_sources(find_inputs(paths), {})))


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name, text in {
        "2.txt": "客服：您好\n客户：没人管",
        "10.TXT": "00:01 没人管\n00:05 三天了",
        "b/3.txt": "谢谢",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    rows = read(tmp_path)
    assert [row.id for row in rows] == [f"{tmp_path.name}/10", f"{tmp_path.name}/2", "b/3"]
    unmarked, marked, _ = rows
    assert isinstance(unmarked, Case)
    assert isinstance(marked, Case)
    assert (unmarked.text, unmarked.channel) == ("没人管\n三天了", "call")
    assert [said.speaker for said in unmarked.utterances()] == ["unknown"]
    assert [said.speaker for said in marked.utterances()] == ["agent", "customer"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "C-1.txt"
    path.write_bytes("客服：您好\n客户：没人管".encode(encoding))
    (case,) = read(path)
    assert isinstance(case, Case)
    assert (case.id, [turn.text for turn in case.turns or ()]) == ("C-1", ["您好", "没人管"])


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "text is empty"),
        (b"\xff\xff\xff", "allowed are UTF-8"),
        ("差".encode() * 60_000, "at most 50000 characters"),
        (b"\0" * 100, "text is empty"),
    ],
)
def test_a_bad_file_keeps_its_place(tmp_path: Path, content: bytes, detail: str) -> None:
    (tmp_path / "1.txt").write_bytes(content)
    (tmp_path / "2.txt").write_text("没人管", "utf-8")
    bad, good = read(tmp_path)
    assert isinstance(bad, RowError)
    assert (bad.id, bad.code, good.id) == ("1", "bad_input", "2")
    assert detail in bad.detail
    assert str(tmp_path) not in bad.detail
