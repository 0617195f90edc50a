"""One row a turn: grouped into calls, in order, whatever the file looks like."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import sheets
from triage.batch.read import fraction_read, open_sources, read_rows
from triage.batch.rows import Row
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError

HEADER = ("通话编号", "角色", "内容", "序号", "产品", "时间")
TURNS = [
    ("C-1", "坐席", "您好", 1, "宽带", "2024-03-05 09:20:00"),
    ("C-1", "客户", "没人管", 2, "", "2024-03-05 09:20:10"),
    ("C-1", "坐席", "抱歉", 10, "", "2024-03-05 09:21:00"),
    ("C-2", "客户", "查话费", 1, "手机", "2024-03-06 10:00:00"),
    ("C-2", "机器人", "请稍等", 2, "", "2024-03-06 10:00:02"),
]
WHOLE = [
    ("C-1", [("agent", "您好"), ("customer", "没人管"), ("agent", "抱歉")], "宽带", "2024-03-05T09:20:00"),
    ("C-2", [("customer", "查话费"), ("agent", "请稍等")], "手机", "2024-03-06T10:00:00"),
]


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]), "utf-8")


def write_xlsx(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheets.write_xlsx(path, header, *rows)


def write_jsonl(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    lines = [json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), "utf-8")


def write_parquet(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs the extra 'parquet'")
    from pyarrow import parquet

    columns = zip(*rows, strict=True)
    parquet.write_table(arrow.table(dict(zip(header, map(list, columns), strict=True))), path)


WRITERS = {".csv": write_csv, ".xlsx": write_xlsx, ".jsonl": write_jsonl, ".parquet": write_parquet}


def read(path: Path, **mapping: str) -> list[Row]:
    return list(read_rows(open_sources([path], mapping)))


def plain(row: Row) -> tuple[str, list[tuple[str, str]], str | None, str | None]:
    assert isinstance(row, Case), row
    said = [(turn.speaker, turn.text) for turn in row.turns or ()]
    return row.id, said, row.product, row.created_at.isoformat() if row.created_at else None


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_reads_alike(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, HEADER, TURNS)
    assert list(map(plain, read(path))) == WHOLE


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("place", ["序号", "时间"])
def test_any_order_of_rows_gives_the_same_calls(tmp_path: Path, seed: int, place: str) -> None:
    rows = random.Random(seed).sample(TURNS, len(TURNS))  # noqa: S311
    keep = [column for column in range(len(HEADER)) if HEADER[column] not in {"序号", "时间"} - {place}]
    path = tmp_path / "a.csv"
    write_csv(path, [HEADER[column] for column in keep], [[row[column] for column in keep] for row in rows])
    found = {row.id: plain(row)[:3] for row in read(path)}
    assert found == {whole[0]: whole[:3] for whole in WHOLE}


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (["2", "1"], "ba"),
        (["10", "9"], "ba"),
        (["1", "1"], "ab"),
        (["二", "一"], "ab"),
        (["2", ""], "ab"),
        (["2", "x"], "ab"),
        (["00:01:05", "00:00:59.5"], "ba"),
        (["1:05", "59"], "ba"),
        (["2024/3/5 9:20", "2024/3/5 9:19"], "ba"),
    ],
)
def test_place_of_a_turn(tmp_path: Path, places: list[str], said: str) -> None:
    path = tmp_path / "a.csv"
    write_csv(
        path, ["call_id", "speaker", "text", "order"], [["1", "客户", w, p] for w, p in zip("ab", places, strict=True)]
    )
    (case,) = read(path)
    assert "".join(words for _, words in plain(case)[1]) == said


@pytest.mark.parametrize(
    ("written", "speaker"),
    [
        ("客户", "customer"),
        ("Customer", "customer"),
        ("坐席", "agent"),
        ("坐席012", "agent"),
        ("Agent_7", "agent"),
        ("【客服】", "agent"),
        ("说话人A", "unknown"),
        ("王女士", "unknown"),
        ("", "unknown"),
        ("0", "unknown"),
    ],
)
def test_who_speaks(tmp_path: Path, written: str, speaker: str) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ["call_id", "speaker", "text"], [["1", written, "您好"]])
    (case,) = read(path)
    assert plain(case)[1] == [(speaker, "您好")]


def test_a_time_in_the_call_is_no_date(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ["call_id", "speaker", "text", "time"], [["1", "客户", "b", "00:09"], ["1", "客户", "a", "00:03"]])
    (case,) = read(path)
    assert plain(case) == ("1", [("customer", "a"), ("customer", "b")], None, None)


BAD = {
    "no text at all": (["C-1,客户,", "C-1,坐席, "], "C-1", "text is empty"),
    "too many turns": (["C-1,客户,a"] * 1002, "C-1", "at most 1000 turns are allowed, given 1002"),
    "a row that cannot be read": (["C-1,客户,a", 'C-1,坐席,"b"c', "C-1,坐席,d"], "row-2", "not valid CSV"),
    "too many cells": (["C-1,客户,a", "C-1,坐席,b,c,d"], "C-1", "row 2 of the call: at most 3 cells"),
    "no id": ([",客户,a"], "row-1", "id of the call is missing"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_call_keeps_its_place(tmp_path: Path, kind: str) -> None:
    lines, row_id, detail = BAD[kind]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["call_id,speaker,text", *lines, "C-9,客户,没人管"]), "utf-8")
    rows = read(path)
    (bad,) = (row for row in rows if isinstance(row, RowError))
    assert bad.id == row_id
    assert detail in bad.detail
    assert rows[-1].id == "C-9"


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"call_id": "\\ud83d", "speaker": "客户", "text": "a"}\n{"call_id": "1", "speaker": "客户", "text": "\\ud83d"}'
    )
    assert [(row.id, "surrogate" in getattr(row, "detail", "")) for row in read(path)] == [("?", False), ("1", True)]


def test_mapped_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ["a", "b", "c", "d"], [["1", "客户", "y", 2], ["1", "客服", "x", 1]])
    (case,) = read(path, id="a", speaker="b", text="c", order="d")
    assert plain(case)[1] == [("agent", "x"), ("customer", "y")]
    with pytest.raises(InputError, match="one row a turn needs a column with the call's id"):
        read(path, speaker="b", text="c")


REFUSED = {
    "no id of the call": (
        "speaker,text,turn",
        "one row a turn needs a column with the call's id and one with the text",
    ),
    "no text": ("call_id,speaker,turn", "no column with the text"),
    "a mapped column that is not there": ("call_id,speaker,text", "--map names column '句序'; columns found: call_id"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_wrong_columns_are_named_before_the_run(tmp_path: Path, kind: str) -> None:
    header, message = REFUSED[kind]
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n1,2,3\n", "utf-8")
    with pytest.raises(InputError, match=message):
        open_sources([path], {"order": "句序"} if "mapped" in kind else {})


def test_what_is_odd_in_a_call_loses_no_turn(tmp_path: Path) -> None:
    """Turns out of order, the same number twice, a speaker nobody knows, a call that goes on far below."""
    rows = [
        ("C-1", "客户", "c", 3),
        ("C-1", "坐席", "a", 1),
        ("C-2", "客户", "x", 1),
        ("C-1", "王五", "b", 2),
        ("C-1", "客户", "b2", 2),
    ]
    path = tmp_path / "a.csv"
    write_csv(path, ["call_id", "speaker", "text", "turn"], rows)
    first, second = map(plain, read(path))
    assert first[:2] == ("C-1", [("agent", "a"), ("unknown", "b"), ("customer", "b2"), ("customer", "c")])
    assert second[:2] == ("C-2", [("customer", "x")])


def test_progress_follows_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, HEADER, TURNS)
    sources = open_sources([path], {})
    rows = read_rows(sources)
    next(rows)
    assert fraction_read(sources) == pytest.approx(0.6)
    assert [row.id for row in rows] == ["C-2"]
    assert fraction_read(sources) == 1
