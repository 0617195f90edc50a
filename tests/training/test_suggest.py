"""What to label next: worth more the less sure and the rarer, spread over different words, and ready to fill in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import yaml
from typer.testing import CliRunner

from training.cases import read_cases
from training.data_commands import app
from training.label_exports import labelled_rows
from training.label_sheet import write_sheet
from training.merge import merge
from training.suggest import Suggestion, suggest, surprise, unsure
from triage.case import Case
from triage.errors import OutputError
from triage.policy import load_policy
from triage.taxonomy import DEFAULT_TAXONOMY, Taxonomy, load_taxonomy

TAXONOMY = load_taxonomy()
EMOTION = TAXONOMY.head("emotion")
SURE, TORN, FLAT = [0.98, 0.01, 0.01], [0.49, 0.5, 0.01], [0.34, 0.33, 0.33]


def test_worth_by_hand() -> None:
    scores = {"emotion": np.array([SURE, TORN, FLAT])}
    assert unsure([EMOTION], scores) == pytest.approx([1 - 0.97, 1 - 0.01, 1 - 0.01])
    shares = {"emotion": np.array([0.5, 0.25, 0.25])}
    assert surprise([EMOTION], scores, shares)[1] == pytest.approx(0.49 * np.log(2) + 0.51 * np.log(4))


def test_the_unsure_come_before_the_sure() -> None:
    words = [f"第{number}件事情说的是完全不同的话题{number * 7}" for number in range(40)]
    table = np.array([TORN if row % 4 == 0 else SURE for row in range(40)])
    chosen = suggest(words, {"emotion": table}, TAXONOMY, 2)
    assert all(one.record % 4 == 0 for one in chosen)
    assert len({one.record for one in chosen}) == 2
    assert [one.worth for one in chosen] == sorted((one.worth for one in chosen), reverse=True)
    assert chosen[0].reasons[0] == "unsure 拿不准: emotion 情绪: upset 不悦 0.50 / calm 平静 0.49"


def test_the_rare_come_before_the_common() -> None:
    maybe_furious, maybe_upset = [0.6, 0.0, 0.4], [0.6, 0.4, 0.0]
    table = np.array([maybe_furious if row in (3, 17) else maybe_upset for row in range(30)])
    known = {"emotion": np.array([500.0, 480.0, 20.0])}
    chosen = suggest([f"话{row}" * 5 for row in range(30)], {"emotion": table}, TAXONOMY, 2, known)
    assert chosen[0].record in (3, 17)
    assert "rare 少见: emotion 情绪: furious 愤怒 0.40" in chosen[0].reasons


def test_what_may_be_severe_comes_first_with_a_policy() -> None:
    maybe_court, maybe_mild = [0.5, 0.1, 0.0, 0.0, 0.4], [0.5, 0.4, 0.1, 0.0, 0.0]
    table = np.array([maybe_court if row in (3, 17) else maybe_mild for row in range(30)])
    words = [f"话{row}" * 5 for row in range(30)]
    known = {"risk_tier": np.array([100.0] * 5)}
    with_policy = suggest(words, {"risk_tier": table}, TAXONOMY, 2, known, load_policy())
    assert {one.record for one in with_policy} == {3, 17}
    assert {one.record for one in suggest(words, {"risk_tier": table}, TAXONOMY, 2, known)} != {3, 17}


def test_one_of_each_story() -> None:
    stories = ["快递三天没有送到门口", "手机屏幕一碰就黑掉了", "会员费扣了两次钱不退"]
    words = [story + "！" * (row % 3) for row, story in enumerate(stories * 4)]
    chosen = suggest(words, {"emotion": np.array([TORN] * 12)}, TAXONOMY, 3)
    assert {one.record % 3 for one in chosen} == {0, 1, 2}


@pytest.mark.parametrize(("size", "count", "chosen"), [(1, 5, 1), (3, 5, 3), (5, 5, 5), (6, 5, 5)])
def test_never_more_than_there_is(size: int, count: int, chosen: int) -> None:
    scores = {"emotion": np.array([TORN] * size)}
    assert len(suggest(["好的"] * size, scores, TAXONOMY, count)) == chosen


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Twelve contacts, one of them labelled already, one twice, one empty, all like formulas."""
    texts = [f"=我的快递{number}天没到，你们第{number}次骗我，手机13812345678" for number in range(12)]
    rows = [{"id": f"T-{number}", "text": text, "channel": "chat"} for number, text in enumerate(texts)]
    rows += [{"id": "T-12", "text": texts[3]}, {"id": "T-13", "text": ""}]
    turns = [{"speaker": "agent", "text": "您好"}, {"speaker": "customer", "text": "我要投诉，退钱"}]
    lines = [json.dumps(row, ensure_ascii=False) for row in [*rows, {"id": "T-14", "turns": turns}]]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "done.jsonl").write_text(json.dumps({**rows[0], "labels": {"risk_tier": 1}}), "utf-8")
    return tmp_path / "pool.jsonl"


def fill_in(path: Path) -> Path:
    """Every case is tier 2 and has no issues."""
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for row in rows:
            row["labels"] |= {"risk_tier": 2, "issues": []}
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    elif path.suffix == ".csv":
        header, *lines = list(csv.reader(path.open(encoding="utf-8-sig", newline="")))
        for line in lines:
            line[header.index("风险等级")], line[header.index("问题点")] = "一般投诉事件", "无"
        csv.writer(path.open("w", encoding="gb18030", newline="")).writerows([header, *lines])
    else:
        book = openpyxl.load_workbook(path)
        header = [cell.value for cell in book.active[1]]
        for number in range(2, book.active.max_row + 1):
            book.active.cell(number, header.index("风险等级") + 1, "一般投诉事件")
            book.active.cell(number, header.index("问题点") + 1, "无")
        book.save(path)
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "xlsx"])
def test_suggest_fill_in_merge(root: Path, pool: Path, tmp_path: Path, suffix: str) -> None:
    sheet, out = tmp_path / f"sheet.{suffix}", tmp_path / "merged.jsonl"
    options = ["-n", "12", "--labelled", str(tmp_path / "done.jsonl"), "--model", str(root / "models" / "default")]
    run = CliRunner().invoke(app, ["suggest", str(pool), "-o", str(sheet), *options])
    assert run.exit_code == 1, run.output
    assert "12 of 12 cases" in run.output
    assert "- T-13: " in run.output
    run = CliRunner().invoke(app, ["merge", str(pool), str(fill_in(sheet)), "-o", str(out)])
    assert "2 cases without labels left out" in run.output
    records = {record.case.id: record for record in read_cases([out], TAXONOMY)}
    assert set(records) == {f"T-{number}" for number in (*range(1, 12), 14)}
    assert all(record.labels == {"risk_tier": 2, "issues": []} for record in records.values())
    assert {record.split for record in records.values()} == {"train"}
    assert records["T-14"].case.turns is not None
    assert "13812345678" not in out.read_text("utf-8") + sheet.read_bytes().decode("utf-8", "replace")


def test_a_sheet_has_the_heads_of_the_taxonomy_given(root: Path, pool: Path, tmp_path: Path) -> None:
    """Chosen by the heads of the model, to be labelled with others; what is labelled has labels that it lacks."""
    raw = yaml.safe_load(DEFAULT_TAXONOMY.read_text("utf-8"))
    tiers = next(head for head in raw["heads"] if head["name"] == "risk_tier")
    tiers["labels"].append({"code": 5, "zh": "灾难", "en": "disaster"})
    raw["heads"] = [tiers, {**tiers, "name": "harm", "zh": "人身伤害", "en": "harm"}]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    done = json.loads((tmp_path / "done.jsonl").read_text("utf-8"))
    (tmp_path / "done.jsonl").write_text(json.dumps({**done, "labels": {"risk_tier": 5}}), "utf-8")
    options = ["--labelled", str(tmp_path / "done.jsonl"), "--model", str(root / "models" / "default")]
    line = ["suggest", str(pool), "-o", str(tmp_path / "s.csv"), *options, "--taxonomy", str(tmp_path / "own.yaml")]
    assert CliRunner().invoke(app, line).exit_code == 1
    header, *rows = csv.reader((tmp_path / "s.csv").open(encoding="utf-8-sig", newline=""))
    assert header[-2:] == ["风险等级", "人身伤害"]
    assert len(rows) == 12


@pytest.mark.parametrize("options", [["--policy", "own.yaml"], []], ids=["option", "environment"])
def test_a_policy_may_be_given(root: Path, pool: Path, tmp_path: Path, options: list[str]) -> None:
    """A model with its own taxonomy needs one."""
    line = ["suggest", str(pool), "-o", str(tmp_path / "s.csv"), "--model", str(root / "models" / "default")]
    run = CliRunner().invoke(app, [*line, *options], env={} if options else {"TRIAGE_POLICY": "own.yaml"})
    assert "own.yaml" in str(run.exception)


def test_labels_are_chosen_and_read_back_whatever_their_names(tmp_path: Path) -> None:
    """With commas and quotes, in heads of one Chinese name, and beside a column of the case of that name."""
    names = ["健康险,意外险", '"惠民"保', "寿险"]
    labels = [{"code": place, "zh": name, "en": str(place)} for place, name in enumerate(names)]
    heads = [
        {"name": name, "kind": "single", "zh": zh, "en": name, "labels": labels}
        for name, zh in (("bought", "产品线"), ("wanted", "产品线"), ("found", "渠道"))
    ]
    taxonomy = Taxonomy.model_validate({"name": "own", "version": "1", "heads": heads})
    case, sheet = Case.read({"id": "T-1", "text": "退钱", "channel": "chat"}), tmp_path / "sheet.xlsx"
    write_sheet(sheet, [case], [Suggestion(0, 1.0, ())], taxonomy)
    book = openpyxl.load_workbook(sheet)
    page = book.active
    assert [cell.value for cell in page[1]][-3:] == ["产品线 (bought)", "产品线 (wanted)", "渠道 (found)"]
    assert book["labels"].sheet_state == "hidden"
    for validation, place in zip(page.data_validations.dataValidation, range(3), strict=True):
        title, cells = validation.formula1.split("!")
        (cell,) = list(validation.cells.ranges)
        choices = [row[0].value for row in book[title][cells.replace("$", "")]]
        assert choices == names
        page[cell.coord] = choices[place]
    book.save(sheet)
    (record,) = read_cases([sheet], taxonomy)
    assert record.labels == {"bought": 0, "wanted": 1, "found": 2}
    assert record.case.channel == "chat"


@pytest.mark.parametrize("given", ["T-1", "other"])
def test_what_was_merged_is_not_suggested_again(root: Path, tmp_path: Path, given: str) -> None:
    """By its id, and under another id by its words, which are masked in a merged file and not in the pool."""
    texts = ["宽带坏了，打我13812345678", "会员费扣了两次，退钱"]
    rows = [{"id": f"T-{number}", "text": text} for number, text in enumerate(texts, start=1)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    words = texts[0] if given == "other" else "宽带坏了，客户[姓名]催过"
    (tmp_path / "filled.csv").write_text(f"id,text,风险等级\n{given},{words},3\n", "utf-8")
    CliRunner().invoke(app, ["merge", str(tmp_path / "filled.csv"), "-o", str(tmp_path / "more.jsonl")])
    line = ["suggest", str(tmp_path / "pool.jsonl"), "--labelled", str(tmp_path / "more.jsonl")]
    run = CliRunner().invoke(app, [*line, "-o", str(tmp_path / "s.jsonl"), "--model", str(root / "models" / "default")])
    assert run.exit_code == 0, run.output
    assert [json.loads(line)["id"] for line in (tmp_path / "s.jsonl").read_text("utf-8").splitlines()] == ["T-2"]


def test_a_customer_of_whom_a_case_is_for_testing_is_left_out(root: Path, tmp_path: Path) -> None:
    rows = [{"id": f"T-{key}", "text": f"会员费扣了{key}次，退钱", "customer_key": key} for key in "AB"]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = {"id": "D", "text": "宽带坏了", "customer_key": "A", "split": "test", "labels": {"risk_tier": 1}}
    (tmp_path / "done.jsonl").write_text(json.dumps(done), "utf-8")
    options = ["--labelled", str(tmp_path / "done.jsonl"), "--model", str(root / "models" / "default")]
    run = CliRunner().invoke(app, ["suggest", str(tmp_path / "pool.jsonl"), "-o", str(tmp_path / "s.jsonl"), *options])
    assert run.exit_code == 0, run.output
    assert [json.loads(line)["id"] for line in (tmp_path / "s.jsonl").read_text("utf-8").splitlines()] == ["T-B"]


@pytest.mark.parametrize(("split", "left"), [("train", ["T-1", "T-2", "T-3"]), ("dev", ["T-3"]), ("test", ["T-3"])])
def test_a_near_duplicate_of_a_case_for_testing_is_left_out(
    root: Path, tmp_path: Path, split: str, left: list[str]
) -> None:
    """Also where an identifier is masked in the labelled file alone."""
    texts = [
        "宽带坏了一个星期，打了三次电话都没人来修啊",
        "会员扣费了，打我13812345678",
        "快递在路上三天了，一直没有送到",
    ]
    rows = [{"id": f"T-{number}", "text": text} for number, text in enumerate(texts, start=1)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    known = ["宽带坏了一个星期，打了三次电话都没人来修", "会员扣费了，打我[手机号]吧"]
    done = [
        {"id": f"D-{number}", "text": text, "split": split, "labels": {"risk_tier": 1}}
        for number, text in enumerate(known)
    ]
    (tmp_path / "done.jsonl").write_text("\n".join(map(json.dumps, done)), "utf-8")
    options = ["--labelled", str(tmp_path / "done.jsonl"), "--model", str(root / "models" / "default")]
    run = CliRunner().invoke(app, ["suggest", str(tmp_path / "pool.jsonl"), "-o", str(tmp_path / "s.jsonl"), *options])
    assert run.exit_code == 0, run.output
    lines = (tmp_path / "s.jsonl").read_text("utf-8").splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == left


def test_an_id_made_up_for_a_row_says_nothing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("内容\n会员费扣了两次，退钱\n", "utf-8")
    (tmp_path / "done.csv").write_text("id,text,风险等级\nrow-1,宽带坏了,3\n", "utf-8")
    options = ["--labelled", str(tmp_path / "done.csv"), "--model", str(root / "models" / "default")]
    run = CliRunner().invoke(app, ["suggest", str(tmp_path / "pool.csv"), "-o", str(tmp_path / "s.csv"), *options])
    assert "1 of 1 cases" in run.output


SPOKEN: dict[str, Any] = {
    "one customer": {"turns": [("customer", "我要投诉，\n退钱")]},
    "one customer in a call": {"channel": "call", "turns": [("customer", "我要投诉，退钱")]},
    "one agent": {"turns": [("agent", "您好")]},
    "one unknown in a call": {"channel": "call", "turns": [("unknown", "我要投诉")]},
    "a dialogue": {"turns": [("agent", "您好"), ("customer", "客服：你们  骗人"), ("agent", "抱歉")]},
    "unknown first": {"turns": [("unknown", "喂"), ("customer", "退钱"), ("agent", "好的")]},
    "unknown in between": {"turns": [("customer", "退钱"), ("unknown", "嗯"), ("agent", "好的")]},
    "nobody known": {"channel": "call", "turns": [("unknown", "您好"), ("unknown", "退钱")]},
    "silence": {"turns": [("customer", "退钱"), ("agent", ""), ("customer", "喂")]},
    "a text": {"text": "客户：我要投诉"},
    "a formula": {"text": "=我要投诉"},
}


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "xlsx"])
@pytest.mark.parametrize("name", SPOKEN)
def test_who_said_what_comes_back_from_a_sheet(tmp_path: Path, name: str, suffix: str) -> None:
    fields = {"id": "-1", "channel": "chat", **SPOKEN[name]}
    if "turns" in fields:
        fields["turns"] = [{"speaker": speaker, "text": text} for speaker, text in fields["turns"]]
    case, sheet = Case.read(fields), tmp_path / f"sheet.{suffix}"
    write_sheet(sheet, [case], [Suggestion(0, 1.0, ("unsure",))], TAXONOMY)
    (tmp_path / "pool.jsonl").write_text(json.dumps(fields), "utf-8")
    fill_in(sheet)
    (record,) = read_cases([sheet], TAXONOMY)
    assert record.case.id == "-1"
    assert spoken(record.case) == spoken(case)
    merged = merge(labelled_rows([tmp_path / "pool.jsonl", sheet], TAXONOMY), TAXONOMY, "refuse")
    assert (len(merged.records), merged.problems) == (1, [])


def spoken(case: Case) -> list[tuple[str, list[str]]]:
    """Who says which words, whatever the space between them."""
    return [(said.speaker, said.text.split()) for said in case.utterances()]


def test_a_case_too_long_for_a_cell_is_not_cut(tmp_path: Path) -> None:
    case = Case.from_text("好" * 32_768)
    with pytest.raises(OutputError, match="a cell takes 32767 characters"):
        write_sheet(tmp_path / "sheet.xlsx", [case], [Suggestion(0, 1.0, ())], TAXONOMY)


def test_nothing_left_to_label(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_text(json.dumps({"id": "1", "text": "投诉你们", "labels": {}}), "utf-8")
    options = ["--labelled", str(path), "--model", str(root / "models" / "default"), "-o", str(tmp_path / "a.csv")]
    run = CliRunner().invoke(app, ["suggest", str(path), *options])
    assert "no case is left" in str(run.exception)
