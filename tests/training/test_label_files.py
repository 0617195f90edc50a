"""Labels as CSV, XLSX and JSONL come out alike, and what cannot be read is named by its row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sheets import write_xlsx
from training.cases import find_labelled, foreign_labels, is_labelled, raw_records, read_all, read_cases, short_names
from training.label_table import head_named, sheet_headers
from training.label_values import read_label
from triage.errors import InputError
from triage.taxonomy import Taxonomy, load_taxonomy

TAXONOMY = load_taxonomy()
WORDS = "宽带坏了一个星期，一直没人管"
HEADER = ["工单号", "内容", "渠道", "客户号", "投诉类型", "问题点", "风险等级", "motive", "split", "备注"]
ROW = ["T-1", WORDS, "电话", "C9", "服务类", "响应慢、unreachable", "3", "求尊重", "dev", "急"]
LABELS = {
    "complaint_type": "service",
    "issues": ["delay", "unreachable"],
    "risk_tier": 3,
    "motive": "respect",
}


def write_csv(path: Path, *rows: list[str], encoding: str = "utf-8") -> Path:
    path.write_bytes("\n".join(",".join(row) for row in rows).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_file_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (record,) = read_cases([write_csv(tmp_path / "a.csv", HEADER, ROW, encoding=encoding)], TAXONOMY)
    assert record.labels == LABELS
    assert (record.case.id, record.case.text, record.case.channel) == ("T-1", WORDS, "call")
    assert (record.case.customer_key, record.split) == ("C9", "dev")


def test_xlsx_csv_and_jsonl_come_out_alike(tmp_path: Path) -> None:
    numbers = [3.0 if cell == "3" else cell for cell in ROW]
    row = {"id": "T-1", "text": WORDS, "channel": "call", "customer_key": "C9", "labels": LABELS, "split": "dev"}
    (tmp_path / "c.jsonl").write_text(json.dumps(row, ensure_ascii=False), "gb18030")
    write_csv(tmp_path / "a.csv", HEADER, ROW)
    write_xlsx(tmp_path / "b.xlsx", HEADER, numbers)
    one, two, three = read_cases(find_labelled([tmp_path]), TAXONOMY)
    assert one == two == three


MULTI = [
    ("delay;refund", ["delay", "refund"]),
    ("响应慢、退款受阻", ["delay", "refund"]),
    ("Broken Promise；态度", ["broken_promise", "attitude"]),
    ("delay;delay", ["delay"]),
    (["delay", "态度"], ["delay", "attitude"]),
    ("无", []),
    ("-", []),
    ([], []),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("given", "codes"), MULTI, ids=[str(given) for given, _ in MULTI])
def test_several_labels_in_a_cell(given: object, codes: list[str] | None) -> None:
    assert read_label(TAXONOMY.head("issues"), given) == codes


SINGLE = [
    ("risk_tier", "3", 3),
    ("risk_tier", 3, 3),
    ("risk_tier", "重大危机", 3),
    ("risk_tier", " Major Crisis", 3),
    ("risk_tier", 3.0, 3),
    ("risk_tier", "3.0", 3),
    ("risk_tier", "３．００", 3),
    ("motive", "none", "none"),
    ("motive", "无", "none"),
    ("emotion", "ｕｐｓｅｔ", "upset"),
    ("emotion", " ", None),
]


@pytest.mark.parametrize(("head", "given", "code"), SINGLE, ids=[f"{head}={given!r}" for head, given, _ in SINGLE])
def test_a_label_by_code_or_name(head: str, given: object, code: object) -> None:
    assert read_label(TAXONOMY.head(head), given) == code


SPLITS = {
    "train": ["train", "Train", "训练", "训练集"],
    "dev": ["dev", "DEV", "val", "valid", "validation", "验证", " 验证集"],
    "test": ["test", "ＴＥＳＴ", "测试", "测试集"],
    "": ["", " "],
}


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_by_any_of_its_names(tmp_path: Path, split: str) -> None:
    rows = [["工单号", "内容", "风险等级", "划分"], *([f"T-{name}", WORDS, "3", name] for name in SPLITS[split])]
    assert [record.split for record in read_cases([write_csv(tmp_path / "a.csv", *rows)], TAXONOMY)] == [
        split for _ in rows[1:]
    ]
    lines = [json.dumps({"text": WORDS, "labels": {}, "split": name}) for name in SPLITS[split]]
    (tmp_path / "b.jsonl").write_text("\n".join(lines), "utf-8")
    assert {record.split for record in read_cases([tmp_path / "b.jsonl"], TAXONOMY)} == {split}


NAMES = [
    (["a/x.csv", "a/y.csv"], ["x.csv", "y.csv"]),
    (["a/x.csv", "b/x.csv", "b/y.csv"], ["a/x.csv", "b/x.csv", "y.csv"]),
    (["a/c/x.csv", "b/c/x.csv", "d/x.csv"], ["a/c/x.csv", "b/c/x.csv", "d/x.csv"]),
    (["b/x.csv", "a/../b/x.csv"], ["x.csv", "x.csv"]),
]


@pytest.mark.parametrize(("paths", "names"), NAMES)
def test_a_file_goes_by_what_tells_it_from_the_others(tmp_path: Path, paths: list[str], names: list[str]) -> None:
    (tmp_path / "a").mkdir()
    files = [tmp_path / path for path in paths]
    assert list(short_names(files).values()) == names
    assert [short_names(files[::-1])[file] for file in files] == names


def test_rows_without_ids_in_files_of_one_name_are_different_cases(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_csv(tmp_path / folder / "x.csv", ["内容", "风险等级"], [WORDS + folder, "3"])
    assert [record.case.id for record in read_cases(find_labelled([tmp_path]), TAXONOMY)] == ["a/x.csv:2", "b/x.csv:2"]


def test_a_label_may_contain_the_separator() -> None:
    heads = [{"name": "topic", "kind": "multi", "zh": "主题", "en": "topic"}]
    heads[0]["labels"] = [{"code": "a", "zh": "推诿、踢皮球", "en": "a"}, {"code": "b", "zh": "态度", "en": "b"}]  # type: ignore[assignment]
    taxonomy = Taxonomy.model_validate({"name": "own", "version": "1", "heads": heads})
    assert read_label(taxonomy.head("topic"), "推诿、踢皮球") == ["a"]
    assert read_label(taxonomy.head("topic"), "态度、a") == ["b", "a"]


WRONG_ROWS = [
    ("no such label", {4: "服务"}, "a.csv:3: complaint_type: allowed are none 非投诉, service 服务类"),
    ("no such issue", {5: "响应慢;慢"}, "a.csv:3: issues: allowed are"),
    ("two of one", {4: "服务类;产品类"}, "a.csv:3: complaint_type: allowed are"),
    ("no text", {1: ""}, "a.csv:3: "),
    ("part of a tier", {6: "3.5"}, "a.csv:3: risk_tier: allowed are 0 无风险"),
    ("no such split", {8: "留出"}, "a.csv:3: split: allowed are train 训练, dev 验证, test 测试; given '留出'"),
    ("unquoted comma", {9: "急,很急"}, "a.csv:3: at most 10 cells"),
]


@pytest.mark.parametrize(("changes", "message"), [w[1:] for w in WRONG_ROWS], ids=[w[0] for w in WRONG_ROWS])
def test_a_wrong_row_is_named_and_the_others_are_read(tmp_path: Path, changes: dict[int, str], message: str) -> None:
    wrong = [changes.get(place, cell) for place, cell in enumerate(ROW)]
    path = write_csv(tmp_path / "a.csv", HEADER, ROW, wrong, ["T-3", *ROW[1:]])
    reading = read_all([path], TAXONOMY)
    assert [record.case.id for record in reading.records] == ["T-1", "T-3"]
    assert len(reading.problems) == 1
    assert message in reading.problems[0]
    assert WORDS not in reading.problems[0]
    with pytest.raises(InputError, match=r"a\.csv:3"):
        read_cases([path], TAXONOMY)


WRONG_FILES = [
    ("no head", ["工单号", "内容"], ["1", WORDS], r"at least one head is needed: complaint_type \(投诉类型\).*内容"),
    ("no text", ["风险等级"], ["3"], "a column with the text is needed, called text, 内容"),
    (
        "text by another name",
        ["工单号", "客户原话", "风险等级"],
        ["1", WORDS, "3"],
        "found: 工单号, 客户原话, 风险等级",
    ),
]


@pytest.mark.parametrize(("header", "row", "message"), [w[1:] for w in WRONG_FILES], ids=[w[0] for w in WRONG_FILES])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_wrong_header_says_what_is_allowed(
    tmp_path: Path, suffix: str, header: list[str], row: list[str], message: str
) -> None:
    write = write_csv if suffix == "csv" else write_xlsx
    with pytest.raises(InputError, match=message):
        read_all([write(tmp_path / f"a.{suffix}", header, row)], TAXONOMY)


def test_labels_alone_need_ids(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ids or with the text"):
        list(raw_records(write_csv(tmp_path / "a.csv", ["风险等级"], ["3"]), TAXONOMY))


def test_a_name_that_two_heads_have_is_of_neither() -> None:
    labels = [{"code": code, "zh": code, "en": code} for code in "ab"]
    heads = [
        {"name": name, "kind": "single", "zh": zh, "en": name, "labels": labels}
        for name, zh in (("customer", "情绪"), ("agent", "情绪"), ("topic", "渠道"), ("tier", "等级"))
    ]
    taxonomy = Taxonomy.model_validate({"name": "own", "version": "1", "heads": heads})
    assert sheet_headers(taxonomy) == ["情绪 (customer)", "情绪 (agent)", "渠道 (topic)", "等级"]
    for name, head in (("情绪（AGENT）", "agent"), ("情绪", None), ("渠道", "topic"), ("等级（必填）", "tier")):
        assert head_named(name, taxonomy) == head


def test_what_was_not_used_is_counted(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "1", "text": WORDS, "labels": {"mood": 1, "motive": None}}))
    write_csv(tmp_path / "a.csv", HEADER, ROW)
    assert read_all(find_labelled([tmp_path]), TAXONOMY).unused == {"备注": 1, "mood": 1}


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"a\.docx"):
        find_labelled([tmp_path / "a.docx"])


FOREIGN: list[tuple[str, list[str], list[str]]] = [
    ("a label of the head", ["3", "P2"], []),
    ("no label at all", ["", ""], []),
    (
        "labels of another set",
        ["P1", "P2", "P1"],
        ["risk_tier (风险等级) has no label of it", "3 重大危机", "given P1, P2"],
    ),
]


@pytest.mark.parametrize(("cells", "parts"), [row[1:] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
def test_a_column_of_a_head_without_any_label_of_it_is_named(
    tmp_path: Path, cells: list[str], parts: list[str]
) -> None:
    path = write_csv(
        tmp_path / "a.csv", ["工单号", "内容", "风险等级"], *([f"T-{cell}", WORDS, cell] for cell in cells)
    )
    found = foreign_labels(path, TAXONOMY)
    assert len(found) == bool(parts)
    assert all(part in found[0] for part in parts)
    assert is_labelled(path, TAXONOMY) == ("3" in cells)


LABELLED = {
    "labels.jsonl": (f'{{"text": "{WORDS}", "labels": {{"complaint_type": "service"}}}}', True),
    "half a line first.jsonl": (f'{{"text": "{WORDS}\n{{"text": "{WORDS}", "labels": {{"risk_tier": 1}}}}', True),
    "labels further down.jsonl": (f'{{"text": "a"}}\n{{"text": "{WORDS}", "labels": {{"risk_tier": 1}}}}', True),
    "no labels.jsonl": (f'{{"text": "{WORDS}"}}', False),
    "empty labels.jsonl": (f'{{"text": "{WORDS}", "labels": {{}}}}', False),
    "a label.csv": (f"内容,投诉类型\n{WORDS},服务类\n", True),
    "a code.csv": (f"内容,risk_tier\n{WORDS},3\n", True),
    "types of their own.csv": (f"内容,投诉类型\n{WORDS},宽带故障\n", False),
    "blank.csv": (f"内容,投诉类型\n{WORDS},\n", False),
    "no head.csv": (f"内容,渠道\n{WORDS},电话\n", False),
    "one row a turn.csv": (f"通话编号,角色,内容,投诉类型\n1,客户,{WORDS},服务类\n", False),
    "empty.csv": ("", False),
    "call.txt": (f"客户：{WORDS}\n客服：您好", False),
}


@pytest.mark.parametrize("name", LABELLED)
def test_whether_a_file_is_labelled(tmp_path: Path, name: str) -> None:
    content, labelled = LABELLED[name]
    path = tmp_path / name
    path.write_text(content, "utf-8")
    assert is_labelled(path, TAXONOMY) is labelled


def test_what_is_no_file_is_not_labelled(tmp_path: Path) -> None:
    assert not is_labelled(tmp_path, TAXONOMY)
    assert not is_labelled(tmp_path / "none.csv", TAXONOMY)
