"""What comes out, and that nothing half-written ever does."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from triage.batch.atomic import OutputError, atomic, check_output
from triage.batch.flat import flat_columns, flat_row, known_cells
from triage.batch.tally import Outcome
from triage.batch.write import csv_cell, open_writer
from triage.case import Case
from triage.result import RowError

KNOWN = Case(text="没人管", product="=宽带", agent_id="打13800138000", prior_contacts=2)
ERROR = RowError("=cmd|' /C calc'!A0", "bad_input", "text: is empty")


def _write(path: Path, triager: Any, *answers: Any) -> Path:
    writer = open_writer(path, path.suffix, triager.taxonomy)
    for answer in answers:
        writer.write(Outcome(KNOWN if answer is not ERROR else None, answer))
    writer.close()
    return path


def _dangerous(triager: Any) -> Any:
    result = triager("没人管,我要打12315")
    object.__setattr__(result, "id", "+1-1")
    object.__setattr__(result.evidence[0], "text", '@SUM(1)\x00"x"')
    return result


def test_jsonl_is_the_contract_and_the_lapses(tmp_path: Path, fake_triager: Any) -> None:
    result = fake_triager("没人管")
    path = _write(tmp_path / "o.jsonl", fake_triager, result, ERROR)
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [
        {**result.to_dict(), "agent_lapses": []},
        ERROR.to_dict(),
    ]


def test_csv_opens_in_excel_and_holds_no_formula(tmp_path: Path, fake_triager: Any) -> None:
    path = _write(tmp_path / "o.csv", fake_triager, _dangerous(fake_triager), ERROR)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    good, bad = csv.DictReader(path.open(encoding="utf-8-sig", newline=""))
    assert list(good) == flat_columns(fake_triager.taxonomy)
    assert (good["id"], bad["id"]) == ("'+1-1", "'=cmd|' /C calc'!A0")
    assert good["evidence"].startswith('\'@SUM(1)"x" | ')
    assert (good["issues"], good["issues_name"]) == ("attitude;process;delay", "态度;流程繁琐或断点;响应慢")
    assert (good["risk_tier"], good["respond_within_minutes"], good["review_needed"]) == ("3", "30", "false")
    assert (bad["error_code"], bad["risk_tier"]) == ("bad_input", "")
    assert (good["product"], good["agent_id"], good["prior_contacts"]) == ("'=宽带", "打[手机号]", "2")


def test_xlsx_cells_are_plain_strings(tmp_path: Path, fake_triager: Any) -> None:
    path = _write(tmp_path / "o.xlsx", fake_triager, _dangerous(fake_triager), ERROR)
    header, good, bad = openpyxl.load_workbook(path).active.iter_rows()
    column = {cell.value: cell.column - 1 for cell in header}
    assert list(column) == flat_columns(fake_triager.taxonomy)
    assert (bad[0].value, bad[0].data_type) == ("=cmd|' /C calc'!A0", "s")
    assert good[column["evidence"]].value.startswith('@SUM(1)"x"')
    assert good[column["risk_tier"]].value == 3
    assert good[column["review_needed"]].value is False


def test_parquet_has_types(tmp_path: Path, fake_triager: Any) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = _write(tmp_path / "o.parquet", fake_triager, _dangerous(fake_triager), ERROR)
    good, bad = parquet.read_table(path).to_pylist()
    assert list(good) == flat_columns(fake_triager.taxonomy)
    assert (good["id"], good["product"], bad["id"]) == ("+1-1", "=宽带", ERROR.id)
    assert (good["risk_tier"], good["risk_tier_score"], good["review_needed"]) == ("3", 0.8, False)
    assert (bad["risk_tier"], bad["risk_tier_score"], bad["error_code"]) == (None, None, "bad_input")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx", ".parquet"])
def test_the_same_answers_make_the_same_bytes(tmp_path: Path, fake_triager: Any, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    result = fake_triager("没人管")
    first = _write(tmp_path / f"a{suffix}", fake_triager, result, ERROR).read_bytes()
    time.sleep(2.1 if suffix == ".xlsx" else 0)  # a ZIP archive counts time in steps of two seconds
    assert _write(tmp_path / f"b{suffix}", fake_triager, result, ERROR).read_bytes() == first


def test_a_full_sheet_is_followed_by_another(
    tmp_path: Path, fake_triager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.batch.write._XLSX_ROWS", 3)
    path = _write(tmp_path / "o.xlsx", fake_triager, *[fake_triager("没人管")] * 3)
    book = openpyxl.load_workbook(path)
    assert [(sheet.title, sheet.max_row) for sheet in book] == [("triage", 3), ("triage 2", 2)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff20", "\x00="])
def test_formula_starts_are_quoted(start: str) -> None:
    assert str(csv_cell(f"{start}1")).startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"), [("1=1", "1=1"), ("", ""), (-1, -1), (0.5, 0.5), (True, "true"), (None, None)]
)
def test_other_cells_stay(value: Any, cell: Any) -> None:
    assert csv_cell(value) == cell


def test_every_flat_value_has_its_column(fake_triager: Any) -> None:
    columns = ["id", *known_cells(KNOWN), *list(flat_row(fake_triager("没人管")))[1:], "error_code", "error_detail"]
    assert columns == flat_columns(fake_triager.taxonomy)


def test_atomic_replaces_only_when_done(tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    out.write_text("old")
    with atomic(out) as part:
        part.write_text("new")
        assert out.read_text() == "old"
    assert out.read_text() == "new"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(OSError(28, "No space left on device"), OutputError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_failure_leaves_the_old_file(tmp_path: Path, failure: BaseException, raised: type[BaseException]) -> None:
    out = tmp_path / "o.csv"
    out.write_text("old")

    def fail() -> None:
        with atomic(out) as part:
            part.write_text("half")
            raise failure

    with pytest.raises(raised):
        fail()
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    given = tmp_path / "in.csv"
    given.write_text("x")
    (tmp_path / "hard.csv").hardlink_to(given)
    (tmp_path / "soft.csv").symlink_to(given)
    table = {
        given: "must not be an input",
        tmp_path / "." / "in.csv": "must not be an input",
        tmp_path / "hard.csv": "must not be an input",
        tmp_path / "soft.csv": "must not be an input",
        tmp_path: "must be a file",
        tmp_path / "none" / "o.csv": "does not exist",
    }
    for path, message in table.items():
        with pytest.raises(OutputError, match=message):
            check_output(path, [given])
    check_output(tmp_path / "o.csv", [given])
