"""Files as they arrive: every format, every encoding, and whatever can be wrong with them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from tests.sheets import write_xlsx
from triage.batch.encoding import MAX_LINE
from triage.batch.read import find_inputs, fraction_read, open_sources, read_rows
from triage.batch.rows import Row
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError

WORDS = "宽带坏了一个星期，一直没人管"
HEADER = ["工单号", "工单内容", "渠道", "历史投诉次数", "时间"]


def read(*paths: Path, **mapping: str) -> list[Row]:
    return list(read_rows(open_sources(find_inputs(paths), mapping)))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_every_encoding_reads_alike(tmp_path: Path, name: str, encoding: str) -> None:
    mark = "\t" if name.endswith("tsv") else ","
    text = f'id{mark}text\nT-1{mark}"{WORDS}"\n' if "jsonl" not in name else f'{{"id": "T-1", "text": "{WORDS}"}}\n'
    assert read(write(tmp_path / name, text.encode(encoding))) == [Case(id="T-1", text=WORDS)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    content = f"编号{delimiter}内容{delimiter}渠道\n1{delimiter}{WORDS}{delimiter}电话\n"
    (case,) = read(write(tmp_path / "a.csv", content))
    assert isinstance(case, Case)
    assert (case.id, case.channel) == ("1", "call")


def test_same_table_in_csv_and_xlsx(tmp_path: Path) -> None:
    row = ["T-1", WORDS, "在线", "3", "2024/3/5 9:20"]
    csv_path = write(tmp_path / "a.csv", f"{','.join(HEADER)}\nT-1,{WORDS},在线,3,2024/3/5 9:20\n")
    cases = [*read(csv_path), *read(write_xlsx(tmp_path / "a.xlsx", list(HEADER), list(row)))]
    assert cases[0] == cases[1]
    case = cases[0]
    assert isinstance(case, Case)
    assert (case.channel, case.prior_contacts) == ("chat", 3)
    assert case.created_at is not None
    assert case.created_at.isoformat() == "2024-03-05T09:20:00"


def test_numbers_and_empty_cells_of_a_workbook(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", ["编号", "内容", "产品", "投诉次数"], [1001.0, WORDS, None, 2.0], [None] * 4)
    assert read(path) == [Case(id="1001", text=WORDS, prior_contacts=2)]


@pytest.mark.parametrize(
    "cell",
    [
        json.dumps([{"speaker": "customer", "text": "你好"}, {"speaker": "客服", "text": "您好"}], ensure_ascii=False),
        "客户:你好\n客服:您好",
    ],
)
def test_turns_in_a_cell(tmp_path: Path, cell: str) -> None:
    (case,) = read(write_xlsx(tmp_path / "a.xlsx", ["id", "turns"], ["T-1", cell]))
    assert isinstance(case, Case)
    assert [(said.speaker, said.text.strip()) for said in case.utterances()] == [
        ("customer", "你好"),
        ("agent", "您好"),
    ]


def test_mapping_wins_over_guess(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "内容,原话\n处理完毕,我很不满意\n")
    assert read(path, text="原话") == [Case(id="row-1", text="我很不满意")]


def test_jsonl_keys_are_mapped_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"工单号": 7, "投诉内容": "没人管", "渠道": "电话"}\n')
    assert read(path) == [Case(id="7", text="没人管", channel="call")]


GOOD = '{"id": "good", "text": "没人管"}'
DEEP = "[" * 100_000
BAD_LINES = {
    "half a line": ('{"id": "T-2", "text": "没', "T-2", "not complete JSON"),
    "not an object": ('["没人管"]', "row-2", "JSON object, given list"),
    "no text": ('{"id": "T-2"}', "T-2", "either text or turns"),
    "null text": ('{"id": "T-2", "text": null}', "T-2", "either text or turns"),
    "text and turns": (
        '{"id": "T-2", "text": "没", "turns": [{"speaker": "agent", "text": "没"}]}',
        "T-2",
        "either text or turns",
    ),
    "empty text": ('{"id": "T-2", "text": " \\u3000"}', "T-2", "text is empty"),
    "NUL only": ('{"id": "T-2", "text": "\\u0000\\u0000"}', "T-2", "text is empty"),
    "too long": (json.dumps({"id": "T-2", "text": "差" * 60_000}), "T-2", "50000 characters are allowed, given 60000"),
    "turn without speaker": ('{"id": "T-2", "turns": [{"text": "没人管"}]}', "T-2", "turns.0.speaker"),
    "bad count": ('{"id": "T-2", "text": "没人管", "prior_contacts": "三"}', "T-2", "prior_contacts"),
    "negative count": ('{"id": "T-2", "text": "没人管", "prior_contacts": -1}', "T-2", "prior_contacts"),
    "unknown channel": ('{"id": "T-2", "text": "没人管", "channel": "门店"}', "T-2", "channel"),
    "mojibake": ('{"id": "T-2", "text": "锟斤拷锟斤拷锟斤拷没人管锟斤拷"}', "T-2", "garbled"),
    "half a surrogate pair": ('{"id": "T-2", "text": "没人管\\ud83d"}', "T-2", "surrogate"),
    "half a surrogate pair as id": ('{"id": "\\ud83d", "text": "没人管"}', "?", "surrogate"),
    "long id": (json.dumps({"id": "9" * 300, "text": "没人管"}), "9" * 200, "id"),
    "id of a wrong type": ('{"id": ["a"], "text": "没人管"}', "row-2", "id"),
    "nested deeply": (DEEP, "row-2", "JSON"),
    "a number of many digits": ('{"text": ' + "9" * 5000 + "}", "row-2", "beyond the limits"),
    "an endless line": ('{"id": "T-2", "text": "' + "没" * (MAX_LINE + 5) + '"}', "T-2", "characters in a line"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_bad_line_keeps_place_and_id(tmp_path: Path, kind: str) -> None:
    line, row_id, detail = BAD_LINES[kind]
    first, bad, last = read(write(tmp_path / "a.jsonl", f"{GOOD}\n{line}\n{GOOD}"))
    assert first == last == Case(id="good", text="没人管")
    assert isinstance(bad, RowError)
    assert (bad.id, bad.code) == (row_id, "bad_input")
    assert detail in bad.detail
    assert "没" not in bad.detail


BAD_CELLS = {
    "no text": ("T-2,,电话,1,", "T-2", "text is empty"),
    "bad count": ("T-2,没人管,电话,很多,", "T-2", "prior_contacts"),
    "bad date": ("T-2,没人管,电话,1,昨天", "T-2", "created_at"),
    "delimiter in the text": ("T-2,没人管,态度差,电话,1,,", "T-2", "prior_contacts"),
    "too many cells": ("T-2,没人管,电话,1,,我要退款", "T-2", "5 cells are allowed, given 6"),
    "text after a quote": ('T-2,"没人管"了,电话,1,', "row-2", "not valid CSV"),
    "huge cell": (f"T-2,{'差' * 140_000},电话,1,", "T-2", "50000 characters are allowed, given 140000"),
    "endless cell": (f"T-2,{'差' * 7_000_000},电话,1,", "T-2", "50000 characters are allowed"),
    "endless cell of many lines": (
        'T-2,"' + ("差" * 99 + "\n") * 9_000 + '",电话,1,',
        "T-2",
        "50000 characters are allowed",
    ),
    "too few cells": ("T-2", "T-2", "text is empty"),
}


@pytest.mark.parametrize("kind", BAD_CELLS)
def test_bad_record_keeps_place_and_id(tmp_path: Path, kind: str) -> None:
    record, row_id, detail = BAD_CELLS[kind]
    good = "good,没人管,电话,1,"
    first, bad, last = read(write(tmp_path / "a.csv", "\n".join([",".join(HEADER), good, record, good])))
    assert first == last == Case(id="good", text="没人管", channel="call", prior_contacts=1)
    assert isinstance(bad, RowError)
    assert bad.id == row_id
    assert detail in bad.detail
    assert "没人管" not in bad.detail


def test_text_may_begin_like_json(tmp_path: Path) -> None:
    text = '[{"speaker": 没人管'
    assert read(write_xlsx(tmp_path / "a.xlsx", ["id", "text"], ["T-1", text])) == [Case(id="T-1", text=text)]


def test_turns_column_must_hold_whole_json(tmp_path: Path) -> None:
    (bad,) = read(write_xlsx(tmp_path / "a.xlsx", ["id", "turns"], ["T-1", '[{"speaker": "agent"']))
    assert isinstance(bad, RowError)
    assert bad.id == "T-1"


def test_unclosed_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    body = 'T-1,"没人管\n' + 'T-2,"没人管"\n' * 3
    rows = read(write(tmp_path / "a.csv", f"id,text\n{body}"))
    assert isinstance(rows[0], RowError)
    assert [row.id for row in rows[1:]] == ["T-2"] * 3


def test_unclosed_quote_costs_one_row(tmp_path: Path) -> None:
    body = "".join(f"T-{number},{'' if number != 7 else chr(34)}没人管\n" for number in range(500))
    rows = read(write(tmp_path / "a.csv", f"id,text\n{body}"))
    assert [row.id for row in rows] == [f"T-{number}" if number != 7 else "row-8" for number in range(500)]
    assert [row.id for row in rows if isinstance(row, RowError)] == ["row-8"]


def test_the_rest_of_a_broken_cell_is_no_contact(tmp_path: Path) -> None:
    body = 'T-1,"没人管\n再不来"我就投诉,电话\nT-2,没人管,电话\n'
    *broken, good = read(write(tmp_path / "a.csv", f"id,text,channel\n{body}"))
    assert [isinstance(row, RowError) for row in broken] == [True, True]
    assert good == Case(id="T-2", text="没人管", channel="call")


def _zip_of_nothing() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "")
    return stream.getvalue()


BAD_FILES = {
    "empty.jsonl": (b"", "empty"),
    "blank.jsonl": (b"\n \n", "empty"),
    "empty.csv": (b"", "empty"),
    "header.csv": (b"id,text\n", "no rows"),
    "other.csv": ("姓名,年龄\n张三,3\n".encode(), "columns found: 姓名, 年龄"),
    "latin.csv": (b"id,text\n1,caf\xe9 \xff\xfe", "line 2 is not valid"),
    "array.jsonl": (b'[\n  {"text": "a"}\n]', "given a JSON array"),
    "array in a line.jsonl": (b'[{"text": "a"}]', "given a JSON array"),
    "cut.jsonl": (f'{{"text": "{WORDS}"}}\n'.encode() + "没".encode()[:2], "line 2 is not valid utf-8"),
    "broken.csv": (b'"id"x,text\n1,2\n', "header line is not valid CSV"),
    "empty.xlsx": (b"", "not a readable XLSX"),
    "text.xlsx": (b"id,text\n1,2", "not a readable XLSX"),
    "zip.xlsx": (_zip_of_nothing(), "not a readable XLSX"),
    "a.docx": (b"PK", "unknown kind of file; read are .jsonl"),
    "noextension": (b"{}", "unknown kind of file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_unusable_file(tmp_path: Path, name: str) -> None:
    content, message = BAD_FILES[name]
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / name, content))


ABOVE = {
    "a title": [["2024年3月投诉明细"]],
    "title, unit and a blank row": [["投诉明细表", None, None], ["制表：客服部"], [None, None]],
}


@pytest.mark.parametrize("above", ABOVE)
def test_rows_above_the_header_are_passed_over(tmp_path: Path, above: str) -> None:
    rows = [*ABOVE[above], ["工单号", "工单内容"], ["T-1", WORDS], ["T-2", WORDS]]
    book = write_xlsx(tmp_path / "a.xlsx", *rows)
    table = write(tmp_path / "a.csv", "\n".join(",".join(cell or "" for cell in row) for row in rows))
    for path in (book, table):
        assert read(path) == [Case(id="T-1", text=WORDS), Case(id="T-2", text=WORDS)]


def test_every_sheet_under_the_same_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.load_workbook(write_xlsx(path, ["说明", "值"], ["制表", "客服部"]))
    for name, rows in {"三月": ["T-1", "T-2"], "四月": ["T-3"], "五月": []}.items():
        sheet = book.create_sheet(name)
        sheet.append(["工单号", "内容"])
        for row in rows:
            sheet.append([row, WORDS])
    book.save(path)
    assert [row.id for row in read(path)] == ["T-1", "T-2", "T-3"]
    (source,) = open_sources([path], {})
    assert len(list(source)) == 3
    assert source.fraction > 0.9
    book["五月"]["C1"] = "渠道"
    book.save(path)
    with pytest.raises(InputError, match="sheets '三月' and '五月' both hold contacts, under different headers"):
        read(path)


def test_formulas_and_dates_of_a_workbook(tmp_path: Path) -> None:
    rows = [["T-1", WORDS, datetime(2024, 3, 5, 9, 20), "#VALUE!"], ["T-2", "#REF!", 45356.5, None]]
    good, bad = read(write_xlsx(tmp_path / "a.xlsx", ["编号", "内容", "时间", "产品"], *rows))
    assert good == Case(id="T-1", text=WORDS, created_at=datetime(2024, 3, 5, 9, 20))
    assert isinstance(bad, RowError)
    assert (bad.id, "text is empty" in bad.detail) == ("T-2", True)


def test_words_of_a_customer_are_no_header_to_show(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="add a header row; columns found: T-1, …, 电话") as refused:
        read(write(tmp_path / "a.csv", f"T-1,{WORDS * 2},电话\nT-2,{WORDS},电话\n"))
    assert WORDS not in str(refused.value)


def test_unusable_workbook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="columns found: 姓名"):
        read(write_xlsx(tmp_path / "a.xlsx", ["姓名"], ["张三"]))
    with pytest.raises(InputError, match="no rows"):
        read(write_xlsx(tmp_path / "b.xlsx", ["text"]))
    cut = (tmp_path / "b.xlsx").read_bytes()[:-200]
    with pytest.raises(InputError, match="not a readable XLSX"):
        read(write(tmp_path / "c.xlsx", cut))


def test_missing_file_and_missing_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "a.csv")
    with pytest.raises(InputError, match="--map names column '原话'; columns found: id, text"):
        read(write(tmp_path / "a.csv", "id,text\n1,2\n"), text="原话")


def test_folder_is_read_in_stable_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.jsonl", "a.jsonl", "sub/c.jsonl", ".hidden.jsonl", "~$a.xlsx", "notes.txt"):
        write(tmp_path / name, f'{{"text": "{name}"}}\n')
    rows = read(tmp_path, tmp_path / "a.jsonl")
    assert [row.id for row in rows] == ["a.jsonl:row-1", "b.jsonl:row-1", "c.jsonl:row-1"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no file to read"):
        read(tmp_path / "none")


def test_progress_ends_at_one(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.jsonl", f"{GOOD}\n" * 9),
        write(tmp_path / "a.csv", "id,text\n" + "1,没人管\n" * 9),
        write_xlsx(tmp_path / "a.xlsx", ["id", "text"], *([1, "没人管"] for _ in range(9))),
    ]
    sources = open_sources(paths, {})
    assert fraction_read(sources) == 0
    assert len(list(read_rows(sources))) == 27
    assert fraction_read(sources) > 0.9
