"""Parquet as data platforms write it, and what is not Parquet at all."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs the extra 'parquet'")

import pyarrow as arrow
from pyarrow import parquet

from triage.batch.read import fraction_read, open_sources, read_rows
from triage.batch.rows import Row
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    parquet.write_table(arrow.table(columns), path, **options)
    return path


def read(path: Path, **mapping: str) -> list[Row]:
    return list(read_rows(open_sources([path], mapping)))


def test_values_of_every_type(tmp_path: Path) -> None:
    columns = {
        "工单号": [1001, 1002],
        "工单内容": ["没人管", None],
        "渠道": ["电话", "在线"],
        "历史投诉次数": [2.0, None],
        "创建时间": [datetime(2024, 3, 5, 9, 20), None],
        "embedding": [[0.1] * 8, [0.2] * 8],
    }
    good, bad = read(write(tmp_path / "a.parquet", columns))
    assert good == Case(
        id="1001", text="没人管", channel="call", prior_contacts=2, created_at=datetime(2024, 3, 5, 9, 20)
    )
    assert isinstance(bad, RowError)
    assert (bad.id, bad.detail) == ("1002", "case: the text is empty")


def test_turns_in_a_column(tmp_path: Path) -> None:
    turns = [[{"speaker": "客服", "text": "您好"}, {"speaker": "customer", "text": "没人管"}]]
    (case,) = read(write(tmp_path / "a.parquet", {"id": ["1"], "turns": turns}))
    assert isinstance(case, Case)
    assert [(said.speaker, said.text) for said in case.utterances()] == [("agent", "您好"), ("customer", "没人管")]


def test_rows_of_many_groups_in_order(tmp_path: Path) -> None:
    texts = [f"没人管{number}" for number in range(1000)]
    path = write(tmp_path / "a.parquet", {"id": texts, "text": texts}, row_group_size=300)
    sources = open_sources([path], {})
    assert [row.id for row in read_rows(sources)] == texts
    assert fraction_read(sources) == 1


def test_mapped_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"a": ["1"], "b": ["没人管"]})
    assert read(path, text="b") == [Case(id="row-1", text="没人管")]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not a readable Parquet file"), (b"PAR1 and more", "not a readable Parquet file"), (None, "no rows")],
)
def test_unusable_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.parquet"
    if content is None:
        write(path, {"text": arrow.array([], arrow.string())})
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(path)


def test_a_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"text": [f"没人管{number}" * 50 for number in range(1000)]})
    data = bytearray(path.read_bytes())
    data[40:2000] = b"\xff" * 1960
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="read"):
        read(path)
