"""One file from many: every format, every rule, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from training import label_exports
from training.cases import RawRecord, read_cases
from training.data_commands import app
from training.label_exports import labelled_rows
from training.merge import RULES, Rule, merge
from triage.errors import InputError, TriageError
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
WORDS = "宽带坏了一个星期，一直没人管，我的手机13812345678"


def said(who: str, labels: dict[str, Any], at: str | None = None, **more: Any) -> RawRecord:
    fields = {"id": "T-1", "text": WORDS, "labels": labels, "annotator": who, **({"labelled_at": at} if at else {})}
    return RawRecord(f"{who}.jsonl:1", {**fields, **more})


LABEL_STUDIO = [
    {
        "id": 7,
        "data": {"id": "T-1", "text": WORDS, "channel": "call"},
        "annotations": [
            {
                "completed_by": {"id": 3, "email": "a@example.com"},
                "updated_at": "2026-01-02T10:00:00Z",
                "result": [
                    {"from_name": "risk_tier", "type": "choices", "value": {"choices": ["重大危机"]}},
                    {"from_name": "issues", "type": "choices", "value": {"choices": ["delay", "无人处理"]}},
                    {"from_name": "comment", "type": "textarea", "value": {"text": ["急"]}},
                ],
            },
            {"completed_by": 4, "was_cancelled": True, "result": []},
        ],
    }
]
JSON_MIN = [{"id": "T-1", "text": WORDS, "risk_tier": "3", "issues": {"choices": ["delay", "unreachable"]}}]
DOCCANO = {"id": 1, "case_id": "T-1", "text": WORDS, "label": ["重大危机", "issues:delay", "无人处理"]}


def in_chinese(export: Any) -> str:
    """The export under the names that a Chinese project gives heads and fields."""
    names = {"risk_tier": "风险等级", "issues": "问题点", '"text":': '"内容":', '"case_id":': '"工单号":'}
    text = json.dumps(export, ensure_ascii=False).replace('{"id": "T-1"', '{"case_id": "T-1"')
    for name, chinese in names.items():
        text = text.replace(name, chinese)
    return text


EXPORTS = [
    ("label_studio.json", json.dumps(LABEL_STUDIO, ensure_ascii=False)),
    ("label_studio_zh.json", in_chinese(LABEL_STUDIO)),
    (
        "label_studio_time.json",
        json.dumps(LABEL_STUDIO, ensure_ascii=False).replace('"channel"', '"时间": "昨天", "channel"'),
    ),
    ("json_min.json", json.dumps(JSON_MIN, ensure_ascii=False)),
    ("json_min_role.json", json.dumps([{**JSON_MIN[0], "role": "annotator"}], ensure_ascii=False)),
    ("json_min_zh.json", in_chinese([{**JSON_MIN[0], "id": 7, "case_id": "T-1"}])),
    ("doccano.jsonl", json.dumps(DOCCANO, ensure_ascii=False)),
    ("doccano_zh.jsonl", in_chinese({**DOCCANO, "label": ["risk_tier：重大危机", "issues:delay", "无人处理"]})),
    ("table.csv", f"id,text,风险等级,问题点\nT-1,{WORDS},3,响应慢;unreachable"),
    (
        "feedback.jsonl",
        json.dumps({"id": "T-1", "text": WORDS, "labels": {"risk_tier": 3, "issues": ["delay", "unreachable"]}}),
    ),
]


def test_an_export_without_a_task_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text("[]", "utf-8")
    assert list(labelled_rows([path], TAXONOMY)) == []


@pytest.mark.parametrize(("name", "content"), EXPORTS, ids=[name for name, _ in EXPORTS])
def test_every_export_says_the_same(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    (raw,) = labelled_rows([path], TAXONOMY)
    (record,) = merge([raw], TAXONOMY, "refuse").records
    assert record["id"] == "T-1"
    assert record["labels"] == {"risk_tier": 3, "issues": ["delay", "unreachable"]}
    assert "13812345678" not in json.dumps(record)
    assert "example.com" not in json.dumps(record)


RESOLVED: list[tuple[str, Rule, list[RawRecord], Any]] = [
    ("all agree", "refuse", [said("a", {"risk_tier": 3}), said("b", {"risk_tier": "重大危机"})], 3),
    ("refused", "refuse", [said("a", {"risk_tier": 3}), said("b", {"risk_tier": 2})], None),
    ("last of the input", "latest", [said("a", {"risk_tier": 3}), said("b", {"risk_tier": 2})], 2),
    ("newest", "latest", [said("a", {"risk_tier": 3}, "2026-02-01"), said("b", {"risk_tier": 2}, "2026-01-01")], 3),
    ("a time is newer than none", "latest", [said("a", {"risk_tier": 3}, "2020/1/1"), said("b", {"risk_tier": 2})], 3),
    (
        "across zones",
        "latest",
        [said("a", {"risk_tier": 3}, "2026-01-01T09:00+08:00"), said("b", {"risk_tier": 2}, "2026-01-01T02:00Z")],
        2,
    ),
    (
        "two of three",
        "majority",
        [said(who, {"risk_tier": tier}) for who, tier in zip("abc", (3, 2, 3), strict=True)],
        3,
    ),
    ("a tie", "majority", [said("a", {"risk_tier": 3}), said("b", {"risk_tier": 2})], None),
    ("no half", "majority", [said(who, {"risk_tier": tier}) for who, tier in zip("abc", (1, 2, 3), strict=True)], None),
    ("one changed its mind", "refuse", [said("a", {"risk_tier": 3}), said("a", {"risk_tier": 2})], 2),
    (
        "its votes do not add up",
        "majority",
        [said("a", {"risk_tier": 3}), said("a", {"risk_tier": 3}), said("b", {"risk_tier": 2})],
        None,
    ),
]


@pytest.mark.parametrize(("rule", "rows", "label"), [r[1:] for r in RESOLVED], ids=[r[0] for r in RESOLVED])
def test_conflicts_are_resolved_by_the_rule(rule: Rule, rows: list[RawRecord], label: Any) -> None:
    merged = merge(rows, TAXONOMY, rule)
    assert merged.records[0]["labels"].get("risk_tier") == label
    assert len(merged.open) == (label is None)
    assert len(merged.records[0]["passes"]) == len(rows)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        (["delay", "delay;refund", "refund;terms"], ["delay", "refund"]),
        (["delay", "无", "无"], []),
        (["delay", "refund"], None),
        (["delay;refund", "refund;delay"], ["refund", "delay"]),
    ],
)
def test_issues_are_voted_on_one_by_one(given: list[str], codes: list[str] | None) -> None:
    merged = merge([said(f"a{i}", {"issues": one}) for i, one in enumerate(given)], TAXONOMY, "majority")
    assert merged.records[0]["labels"].get("issues") == codes


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_lost(rule: Rule) -> None:
    rows = [
        said("a", {"risk_tier": 3}, product="宽带"),
        said("b", {"motive": "respect"}, note="夜间来电"),
        RawRecord("c.csv:2", {"id": "T-1", "text": "", "labels": {"emotion": "愤怒"}}),
        RawRecord("c.csv:3", {"id": "T-2", "labels": {"emotion": "calm"}}),
        RawRecord("c.csv:4", {"id": "T-1", "text": "别的话", "labels": {"motive": "无"}}),
        RawRecord("c.csv:5", {}, "not valid CSV"),
        said("d", {"emotion": "cross"}),
    ]
    merged = merge([rows[2], *rows[:2], rows[3]], TAXONOMY, rule)
    (record,) = merged.records
    assert record["labels"] == {"risk_tier": 3, "motive": "respect", "emotion": "furious"}
    assert (record["product"], record["note"]) == ("宽带", "夜间来电")
    assert [one["from"] for one in record["passes"]] == ["c.csv:2", "a.jsonl:1", "b.jsonl:1"]
    assert [problem.partition(":")[0] for problem in merged.problems] == ["c.csv"]
    merged = merge(rows[:2] + rows[4:], TAXONOMY, rule)
    assert [record["text"][:3] for record in merged.records] == ["宽带坏", "别的话"]
    assert len(merged.problems) == 3


@pytest.mark.parametrize(
    ("named", "split"),
    [(["train", "test"], "test"), (["训练", "", "验证"], "dev"), (["", "train"], "train"), ([""], None)],
)
def test_the_strictest_split_of_a_case_is_kept(named: list[str], split: str | None) -> None:
    for order in (named, named[::-1]):
        rows = [said(f"a{place}", {"risk_tier": 3}, split=given) for place, given in enumerate(order)]
        assert merge(rows, TAXONOMY, "refuse").records[0].get("split") == split


def test_everybodys_evidence_is_kept_once_and_masked() -> None:
    given = [["宽带坏了", "手机13812345678"], "一直没人管", ["手机[手机号]", "宽带坏了"], []]
    rows = [said(f"a{place}", {"risk_tier": 3}, evidence=quotes) for place, quotes in enumerate(given)]
    (record,) = merge(rows, TAXONOMY, "refuse").records
    assert record["evidence"] == ["宽带坏了", "手机[手机号]", "一直没人管"]


def test_two_results_of_one_head_in_an_annotation_add_up(tmp_path: Path) -> None:
    results = [
        {"from_name": head, "value": {"choices": [label]}}
        for head, label in (("issues", "delay"), ("risk_tier", "3"), ("issues", "无人处理"))
    ]
    tasks = [
        {"id": number, "data": {"text": WORDS}, "annotations": [{"result": given}]}
        for number, given in enumerate([results, [*results, {**results[1], "value": {"choices": ["1"]}}]], start=1)
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    merged = merge(labelled_rows([tmp_path / "tasks.json"], TAXONOMY), TAXONOMY, "refuse")
    assert [record["labels"] for record in merged.records] == [{"issues": ["delay", "unreachable"], "risk_tier": 3}]
    assert merged.problems == ["tasks.json:2: risk_tier: exactly one label is allowed, given ['3', '1']"]


def of_names(*names: str) -> list[dict[str, Any]]:
    """One task with a choice under each name."""
    results = [{"from_name": name, "value": {"choices": ["3"]}} for name in names]
    return [{"id": 1, "data": {"text": WORDS}, "annotations": [{"result": results}]}]


MISSPELT = [
    ("choices", of_names("风险级别"), "named after a head are needed: complaint_type (投诉类型)"),
    ("JSON-MIN", [{"id": 1, "text": WORDS, "风险级别": "3"}], "for at least one head is needed"),
]


@pytest.mark.parametrize(("tasks", "message"), [row[1:] for row in MISSPELT], ids=[row[0] for row in MISSPELT])
def test_an_export_without_the_name_of_a_head_is_refused(tmp_path: Path, tasks: Any, message: str) -> None:
    (tmp_path / "tasks.json").write_text(json.dumps(tasks), "utf-8")
    with pytest.raises(InputError) as caught:
        list(labelled_rows([tmp_path / "tasks.json"], TAXONOMY))
    assert message in str(caught.value)
    assert "风险级别" in str(caught.value)


UNUSED = {
    "choices.json": json.dumps(of_names("risk_tier", "emotoin")),
    "json_min.json": json.dumps([{"id": 1, "annotator": 2, "text": WORDS, "risk_tier": 3, "emotoin": "calm"}]),
    "table.csv": f"工单号,内容,划分,推荐理由,风险等级,emotoin\nT-1,{WORDS},train,unsure,3,calm\n",
    "labels.jsonl": json.dumps({"id": "T-1", "text": WORDS, "labels": {"risk_tier": 3, "emotoin": "calm"}}),
}


@pytest.mark.parametrize("name", UNUSED)
def test_labels_under_a_misspelt_name_are_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(UNUSED[name], "utf-8")
    report = tmp_path / "report.json"
    line = ["merge", str(tmp_path / name), "-o", str(tmp_path / "out.jsonl"), "--report", str(report)]
    run = CliRunner().invoke(app, line)
    assert run.exit_code == 0, run.output
    assert "not in the taxonomy (1):\n- emotoin (1)" in run.output
    assert json.loads(report.read_text("utf-8"))["unused"] == {"emotoin": 1}


NOT_WRITTEN = [
    ("labels of another taxonomy", "out.jsonl", "灾难", "no row has a label of the taxonomy"),
    ("no label", "out.jsonl", "", "no row has a label of the taxonomy"),
    ("another kind of file", "out.xlsx", "3", "labelled cases are written as .jsonl or .ndjson"),
]


@pytest.mark.parametrize(("out", "tier", "message"), [row[1:] for row in NOT_WRITTEN], ids=[r[0] for r in NOT_WRITTEN])
def test_what_is_there_stays_where_nothing_comes_of_a_merge(tmp_path: Path, out: str, tier: str, message: str) -> None:
    (tmp_path / "next.csv").write_text(f"id,text,风险等级\nT-1,{WORDS},{tier}\n", "utf-8")
    (tmp_path / out).write_text("before", "utf-8")
    run = CliRunner().invoke(app, ["merge", str(tmp_path / "next.csv"), "-o", str(tmp_path / out)])
    assert isinstance(run.exception, TriageError)
    assert message in str(run.exception)
    assert (tmp_path / out).read_text("utf-8") == "before"


def test_doccano_labels_that_two_heads_have_need_the_head(tmp_path: Path) -> None:
    path = tmp_path / "doccano.jsonl"
    path.write_text(json.dumps({"id": 1, "text": WORDS, "label": ["none"]}), "utf-8")
    (problem,) = merge(labelled_rows([path], TAXONOMY), TAXONOMY, "refuse").problems
    assert "'none' is a label of ['complaint_type', 'motive', 'dissatisfaction']" in problem


def test_annotations_of_nobody_in_one_task_are_two(tmp_path: Path) -> None:
    choices = [{"from_name": "risk_tier", "value": {"choices": [tier]}} for tier in ("3", "1")]
    task = {"id": 7, "data": {"id": "T-1", "text": WORDS}, "annotations": [{"result": [one]} for one in choices]}
    (tmp_path / "tasks.json").write_text(json.dumps([task], ensure_ascii=False), "utf-8")
    (conflict,) = merge(labelled_rows([tmp_path / "tasks.json"], TAXONOMY), TAXONOMY, "refuse").open
    assert conflict.given == {"tasks.json:1": 3, "tasks.json:1.2": 1}


def test_files_of_one_name_are_of_two_annotators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for person, tier in (("a", 3), ("b", 0)):
        (tmp_path / person).mkdir()
        (tmp_path / person / "next.csv").write_text(f"id,text,风险等级\nT-1,{WORDS},{tier}\n", "utf-8")
    monkeypatch.chdir(tmp_path / "a")
    for files in (["next.csv", "../b/next.csv"], [str(tmp_path / person / "next.csv") for person in "ab"]):
        run = CliRunner().invoke(app, ["merge", *files, "-o", "m.jsonl", "--report", "m.json"])
        assert run.exit_code == 1, run.output
        (record,) = [json.loads(line) for line in Path("m.jsonl").read_text("utf-8").splitlines()]
        assert record["labels"] == {}
        assert [one["from"] for one in record["passes"]] == ["a/next.csv:2", "b/next.csv:2"]
        (conflict,) = json.loads(Path("m.json").read_text("utf-8"))["conflicts"]
        assert conflict["given"] == {"a/next.csv:2": 3, "b/next.csv:2": 0}


@pytest.fixture
def without_ids(tmp_path: Path) -> Path:
    """Two pools whose rows have no id, and a sheet of each that has the id which `suggest` gives its case."""
    for person, words in (("a", "会员费扣了两次"), ("b", "快递没到")):
        (tmp_path / person).mkdir()
        (tmp_path / person / "pool.csv").write_text(f"内容,产品\n{words},{person}\n", "utf-8")
        (tmp_path / person / "next.csv").write_text(f"id,text,风险等级\nrow-1,{words},2\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "ids", "products"),
    [
        (["a/pool.csv", "a/next.csv"], ["row-1"], ["a"]),
        (["a/next.csv", "b/next.csv"], ["a/next.csv:2", "b/next.csv:2"], [None, None]),
        (["a/pool.csv", "a/next.csv", "b/next.csv"], ["pool.csv:row-1", "b/next.csv:2"], ["a", None]),
    ],
)
def test_rows_without_ids_are_told_apart(
    without_ids: Path, files: list[str], ids: list[str], products: list[str | None]
) -> None:
    merged = merge(labelled_rows([without_ids / file for file in files], TAXONOMY), TAXONOMY, "refuse")
    assert [record["id"] for record in merged.records] == ids
    assert [record.get("product") for record in merged.records] == products
    assert (merged.problems, merged.unlabelled) == ([], 0)


def test_a_sheet_of_two_pools_of_one_name_finds_both(without_ids: Path) -> None:
    sheet = "id,text,风险等级\npool.csv:row-1,会员费扣了两次,2\npool.csv:row-1,快递没到,2\n"
    (without_ids / "both.csv").write_text(sheet, "utf-8")
    files = [without_ids / name for name in ("a/pool.csv", "b/pool.csv", "both.csv")]
    merged = merge(labelled_rows(files, TAXONOMY), TAXONOMY, "refuse")
    assert [(record["id"], record["product"]) for record in merged.records] == [
        ("a/pool.csv:row-1", "a"),
        ("b/pool.csv:row-1", "b"),
    ]
    assert (merged.problems, merged.unlabelled) == ([], 0)


def test_files_merged_before_are_told_apart_again(tmp_path: Path) -> None:
    files = []
    for month, words in (("1", "会员费扣了两次"), ("2", "快递没到")):
        (tmp_path / "labels.csv").write_text(f"text,风险等级\n{words},2\n", "utf-8")
        files.append(str(tmp_path / f"{month}.jsonl"))
        CliRunner().invoke(app, ["merge", str(tmp_path / "labels.csv"), "-o", files[-1]])
    run = CliRunner().invoke(app, ["merge", *files, "-o", str(tmp_path / "all.jsonl")])
    assert run.exit_code == 0, run.output
    assert [record.case.id for record in read_cases([tmp_path / "all.jsonl"], TAXONOMY)] == ["1.jsonl:1", "2.jsonl:1"]


CONTACTS = {
    "a table.csv": f"工单号,内容,产品\nT-1,{WORDS},宽带\nT-2,退钱,会员\n",
    "one row a turn.csv": f"通话编号,角色,内容,产品\nT-1,客户,{WORDS},宽带\nT-2,客户,退钱,会员\n",
    "other keys.jsonl": "\n".join(
        json.dumps({"工单号": given, "内容": words, "产品": product}, ensure_ascii=False)
        for given, words, product in (("T-1", WORDS, "宽带"), ("T-2", "退钱", "会员"))
    ),
}


@pytest.mark.parametrize("name", CONTACTS)
def test_contacts_without_labels_complete_the_sheet(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CONTACTS[name], "utf-8")
    (tmp_path / "next.csv").write_text(f"id,text,风险等级\nT-1,{WORDS},3\n", "utf-8")
    merged = merge(labelled_rows([tmp_path / name, tmp_path / "next.csv"], TAXONOMY), TAXONOMY, "refuse")
    (record,) = merged.records
    assert (record["product"], record["labels"]) == ("宽带", {"risk_tier": 3})
    assert [one["from"] for one in record["passes"]] == [f"{name}:T-1", "next.csv:2"]
    assert (merged.unlabelled, merged.problems) == (1, [])


def test_contacts_do_not_say_what_nobody_said(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text(f"工单号,内容\nT-1,{WORDS}\n", "utf-8")
    (tmp_path / "next.csv").write_text(f"id,text,渠道,风险等级\nT-1,{WORDS},电话,3\n", "utf-8")
    merged = merge(labelled_rows([tmp_path / "pool.csv", tmp_path / "next.csv"], TAXONOMY), TAXONOMY, "refuse")
    assert merged.records[0]["channel"] == "call"


def test_labels_that_only_later_lines_have_are_read(tmp_path: Path) -> None:
    lines = [{"id": "T-1", "内容": WORDS}, {"id": "T-2", "内容": WORDS, "labels": {"risk_tier": 3}}]
    (tmp_path / "late.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    (tmp_path / "next.csv").write_text(f"id,text,风险等级\nT-3,{WORDS}啊,3\n", "utf-8")
    merged = merge(labelled_rows([tmp_path / "late.jsonl", tmp_path / "next.csv"], TAXONOMY), TAXONOMY, "refuse")
    assert merged.problems
    assert all(problem.startswith("late.jsonl:") for problem in merged.problems)


def test_files_taken_for_contacts_are_named_and_looked_at_once(tmp_path: Path) -> None:
    (tmp_path / "misspelt.csv").write_text(f"id,text,风险等級评定\nT-1,{WORDS},3\n", "utf-8")
    (tmp_path / "next.csv").write_text(f"id,text,风险等级\nT-2,{WORDS}啊,3\n", "utf-8")
    files = [str(tmp_path / name) for name in ("misspelt.csv", "next.csv")]
    with patch.object(label_exports, "has_heads", wraps=label_exports.has_heads) as looked_at:
        run = CliRunner().invoke(app, ["merge", *files, "-o", str(tmp_path / "out.jsonl")])
    assert [str(call.args[0]) for call in looked_at.call_args_list] == files
    assert "misspelt.csv: names no head" in run.stderr
    assert "next.csv: names no head" not in run.stderr


def test_a_row_of_contacts_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("工单号,内容\nT-1,\n", "utf-8")
    (tmp_path / "next.csv").write_text(f"id,text,风险等级\nT-2,{WORDS},3\n", "utf-8")
    merged = merge(labelled_rows([tmp_path / "pool.csv", tmp_path / "next.csv"], TAXONOMY), TAXONOMY, "refuse")
    assert merged.problems == ["pool.csv:T-1: case: the text is empty"]


LABELS_MISSED = {
    "turns.csv": ("通话编号,角色,内容,风险等级\nT-1,客户,退钱,3\n", "not one a turn"),
    "contacts.csv": ("工单号,内容\nT-1,退钱\n", "a column for at least one head is needed"),
    "call.txt": ("客户：退钱", "labelled files"),
}


@pytest.mark.parametrize("name", LABELS_MISSED)
def test_labels_are_not_passed_over(tmp_path: Path, name: str) -> None:
    """Labels a turn are no contacts; contacts alone are no labels."""
    content, message = LABELS_MISSED[name]
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(InputError, match=message):
        list(labelled_rows([tmp_path / name], TAXONOMY))


def test_a_split_is_kept_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"id,text,风险等级,划分\nT-1,{WORDS},3,验证\nT-2,退钱,3,其他\n", "utf-8")
    merged = merge(labelled_rows([tmp_path / "a.csv"], TAXONOMY), TAXONOMY, "refuse")
    assert [record["split"] for record in merged.records] == ["dev"]
    assert merged.problems == ["a.csv:3: split: allowed are train 训练, dev 验证, test 测试; given '其他'"]


def test_the_command_writes_what_train_reads(tmp_path: Path) -> None:
    for name, content in EXPORTS:
        (tmp_path / name).write_text(content, "utf-8")
    other = {"id": "T-1", "text": WORDS, "labels": {"risk_tier": 1}, "annotator": "b"}
    (tmp_path / "other.jsonl").write_text(json.dumps(other), "utf-8")
    files = [str(tmp_path / name) for name, _ in EXPORTS]
    out, report = tmp_path / "merged.jsonl", tmp_path / "merge.md"
    run = CliRunner().invoke(
        app, ["merge", *files, str(tmp_path / "other.jsonl"), "-o", str(out), "--report", str(report)]
    )
    assert run.exit_code == 1, run.output
    assert "Open: these heads have no label (1):\n- T-1: risk_tier:" in report.read_text("utf-8")
    run = CliRunner().invoke(app, ["merge", *files, "-o", str(out)])
    assert run.exit_code == 0, run.output
    again = tmp_path / "again.jsonl"
    CliRunner().invoke(app, ["merge", str(out), "-o", str(again)])
    assert [one["from"] for one in json.loads(again.read_text("utf-8"))["passes"]] == [
        *(f"{name}:{2 if name.endswith('csv') else 1}" for name, _ in EXPORTS),
        "merged.jsonl:1",
    ]
    (record,) = read_cases([out], TAXONOMY)
    assert record.labels == {"risk_tier": 3, "issues": ["delay", "unreachable"]}
    assert record.case.channel == "call"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("none.jsonl", "none.json", "none.csv"):
        run = CliRunner().invoke(app, ["merge", str(tmp_path / name), "-o", str(tmp_path / "out.jsonl")])
        assert isinstance(run.exception, InputError)
        assert name in str(run.exception)
        assert not (tmp_path / "out.jsonl").exists()


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke(
        app, ["merge", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "b.jsonl"), "--rule", "best"]
    )
    assert "rule: allowed are latest, majority, refuse; given 'best'" in str(run.exception)
