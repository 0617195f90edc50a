"""The evaluation page: the figures it was given, nothing from elsewhere, nothing of the cases."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import math
import random
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.fakes import FakeTriager
from training import metrics
from training.cases import LabelledCase, read_cases
from training.evaluate import Answers, by_kind, by_slice, figures, slices_of
from training.report import Scale, heat, render, write_report, zh
from training.splits import kept_together
from training.tables import as_markdown, main_figure, number
from triage.batch.console import about
from triage.case import Case
from triage.errors import OutputError
from triage.policy import load_policy
from triage.taxonomy import Head, Taxonomy, load_taxonomy

POLICY = load_policy()
ORIGIN = {"模型": "tiny 1", "数据": "data/cases"}
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
LABELS = [{"code": code, "zh": code, "en": code} for code in ("good", "bad", "odd")]
MOOD = Head.model_validate({"name": "mood", "kind": "single", "zh": "心情", "en": "mood", "labels": LABELS})
CALIBRATION = [
    # name, probability of the label given, whether it was right, bins, error
    ("calibrated", [0.5, 0.5, 1.0, 1.0], [True, False, True, True], 2, 0.0),
    ("too sure", [0.9, 0.9, 0.9, 0.9], [True, False, True, False], 2, 0.4),
    ("fewer cases than bins", [0.75], [True], 10, 0.25),
]
HEATS = [
    (0.0, 1.0, 0),
    (0.01, 1.0, 1),
    (0.5, 1.0, 3),
    (1.0, 1.0, 5),
    (0.02, 0.02, 5),
    (float("nan"), 1.0, 0),
    (0, 0, 0),
]
NAMES = [
    ("channel: call", "渠道：电话"),
    ("source: mine", "来源：mine"),
    ("typos", "错字"),
    ("unheard of", "unheard of"),
]


class Tables(HTMLParser):
    """The words of every table cell, by the name of the table: its id or its data attribute."""

    def __init__(self, page: str):
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._open = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            names = (given.get(name) for name in ("id", "data-head", "data-kind"))
            self._rows = self.found[next((name for name in names if name), "")] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._open = 1

    def handle_endtag(self, tag: str) -> None:
        self._open = 0 if tag in ("td", "th") else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self._rows[-1][-1] += data


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="module")
def records(root: Path, taxonomy: Taxonomy) -> list[LabelledCase]:
    return read_cases(sorted((root / "data" / "cases").glob("*.jsonl")), taxonomy)[::40]


@pytest.fixture(scope="module")
def measured(taxonomy: Taxonomy, records: list[LabelledCase]) -> dict[str, Any]:
    """Figures of a system that is right nine times in ten, and of one that is right half the time."""
    systems = {"model": noisy(taxonomy, records, 0.9), "tfidf": noisy(taxonomy, records, 0.5)}
    single = [head.name for head in taxonomy.heads if head.kind != "multi"]
    groups = kept_together(records)
    return {
        "cases": len(records),
        "training_cases": 3000,
        "systems": {name: figures(taxonomy, POLICY, records, answers, groups) for name, answers in systems.items()},
        "kinds": {name: by_kind(taxonomy, POLICY, records, answers) for name, answers in systems.items()},
        "slices": by_slice(taxonomy, POLICY, records, systems["model"], smallest=10),
        "evidence_overlap": 0.71,
        "review": {"reviewed": 0.2, "severe_seen": 0.96},
        "flip_rates": {"typos": dict.fromkeys(single, 0.04), "emoji": dict.fromkeys(single, 0.0)},
        "threats_found": {"end of a text": 0.93},
    }


@pytest.fixture(scope="module")
def page(measured: dict[str, Any], taxonomy: Taxonomy) -> str:
    return render(measured, taxonomy, ORIGIN)


def noisy(taxonomy: Taxonomy, records: list[LabelledCase], right: float) -> Answers:
    rng = random.Random(0)  # noqa: S311  # reproducible, not secret
    labels = {
        head.name: [one.labels[head.name] if rng.random() < right else _other(head, rng) for one in records]
        for head in taxonomy.heads
    }
    return Answers(labels, {head.name: np.linspace(0.3, 0.99, len(records)) for head in taxonomy.heads})


def _other(head: Head, rng: random.Random) -> Any:
    return [] if head.kind == "multi" else rng.choice(head.codes)


def markdown_rows(measured: dict[str, Any], corner: str) -> dict[str, list[str]]:
    """The table of the Markdown whose header begins with `corner`: the cells of each row by its first."""
    part = next(part for part in as_markdown(measured).split("\n\n") if part.startswith(f"| {corner} |"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()[2:]]
    return {first: rest for first, *rest in rows}


def test_agreement_is_that_of_the_markdown(measured: dict[str, Any], page: str) -> None:
    wanted = markdown_rows(measured, "head")
    shown = {row[0].split()[-1]: row[2:] for row in Tables(page).found["heads"][1:]}
    assert shown == {name: [*row[:2], row[2].replace("to", "至")] for name, row in wanted.items()}
    errors = re.findall(r'data-calibration="(\w+)">.*?<strong>([^<]*)<', page, re.S)
    assert dict(errors) == {name: row[-1] for name, row in wanted.items() if row[-1] != "–"}


@pytest.mark.parametrize("corner", ["change", "slice", "written calls", "written others"])
def test_other_tables_are_those_of_the_markdown(measured: dict[str, Any], page: str, corner: str) -> None:
    name = {"change": "flips", "slice": "slice-table"}.get(corner, corner)
    shown = [row[1:] for row in Tables(page).found[name][1:]]
    rows = list(markdown_rows(measured, corner).values())
    assert [row[: len(wanted)] for row, wanted in zip(shown, rows, strict=True)] == rows


def test_confusion_matrices_count_every_case(measured: dict[str, Any], page: str, taxonomy: Taxonomy) -> None:
    tables = Tables(page).found
    for head in taxonomy.heads:
        if head.kind == "multi":
            continue
        one, (_, *rows) = measured["systems"]["model"][head.name], tables[head.name]
        counts = [[int(cell.replace("·", "0")) for cell in row[1 : len(head.labels) + 1]] for row in rows]
        assert counts == one["confusion"]
        assert [sum(row) for row in counts] == [int(row[-1]) for row in rows]
        assert [row[-2] for row in rows] == [number(label["f1"]) for label in one["classes"]]


def test_names_stand_beside_codes(page: str) -> None:
    for zh_name, code in (("风险等级", "risk_tier"), ("特级恶性", "4"), ("未明说的不满", "unspoken"), ("无风险", "0")):
        assert f"{zh_name} <code>{code}</code>" in page


def test_nothing_is_fetched_or_run(page: str) -> None:
    for tag in ("<script", "<link", "<img", "<iframe", "@import", "url(", "http:", "https:", " src=", " href=", " on"):
        assert tag not in re.sub(r"<style>.*?</style>|<title>[^<]*</title>", "", page, flags=re.S), tag
    assert " style=" not in page
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert not re.search(r"url\(|@import|http", style)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page.replace("&#39;", "'")


def test_no_text_of_a_case_appears(page: str, records: list[LabelledCase]) -> None:
    for record in records:
        for said in record.case.utterances():
            assert len(said.text) < 12 or said.text[:12] not in page


def test_hostile_names_stay_text(measured: dict[str, Any]) -> None:
    raw = load_taxonomy().model_dump(mode="json")
    raw["heads"][0]["zh"] = raw["heads"][2]["labels"][1]["zh"] = HOSTILE + "\u202e"
    changed = copy.deepcopy(measured)
    changed["slices"][f"source: {HOSTILE}"] = next(iter(measured["slices"].values()))
    page = render(changed, Taxonomy.model_validate(raw), {"数据": HOSTILE})
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_a_head_without_labels_is_shown_as_unknown(
    measured: dict[str, Any], taxonomy: Taxonomy, records: list[LabelledCase]
) -> None:
    bare = [LabelledCase(one.case, {"risk_tier": one.labels["risk_tier"]}) for one in records]
    answers = noisy(taxonomy, records, 0.9)
    systems = {"model": figures(taxonomy, POLICY, bare, answers, kept_together(bare))}
    slices, kinds = by_slice(taxonomy, POLICY, bare, answers), {"model": by_kind(taxonomy, POLICY, bare, answers)}
    page = render(measured | {"systems": systems, "kinds": kinds, "slices": slices}, taxonomy, ORIGIN)
    shown = {row[0].split()[-1]: row[2:] for row in Tables(page).found["heads"][1:]}
    assert shown["motive"] == ["–", "–"]
    assert shown["risk_tier"][0] != "–"
    assert "nan" not in page


def test_one_class_is_no_agreement(measured: dict[str, Any], taxonomy: Taxonomy, records: list[LabelledCase]) -> None:
    calm = [LabelledCase(one.case, {**one.labels, "motive": "none", "issues": []}) for one in records]
    answers = noisy(taxonomy, calm, 1.0)
    systems = {"model": figures(taxonomy, POLICY, calm, answers, kept_together(calm))}
    slices, kinds = by_slice(taxonomy, POLICY, calm, answers, 10), {"model": by_kind(taxonomy, POLICY, calm, answers)}
    found = measured | {"systems": systems, "kinds": kinds, "slices": slices}
    page = render(found, taxonomy, ORIGIN)
    shown = {row[0].split()[-1]: row[2:] for row in Tables(page).found["heads"][1:]}
    assert (shown["motive"], shown["issues"]) == (["–", "–"], ["–", "–"])
    assert markdown_rows(found, "head")["motive"][:2] == ["–", "–"]
    assert {row[1 + list(systems["model"]).index("motive")] for row in markdown_rows(found, "slice").values()} == {"–"}
    assert "nan" not in page + as_markdown(found)


@pytest.mark.parametrize(("split", "learnt"), [("dev", {"train"}), ("train", set()), ("all", set())])
def test_the_baseline_is_not_measured_on_what_it_learnt_from(
    tiny_model: Path, workshop: Path, monkeypatch: pytest.MonkeyPatch, split: str, learnt: set[str]
) -> None:
    from training.make import measure

    def figures_of(_triager: object, train: list[LabelledCase], _records: object, _split: str) -> dict[str, Any]:
        return {"learnt": {record.split for record in train}}

    monkeypatch.setattr("training.make.figures_of", figures_of)
    assert measure(tiny_model, None, [workshop / "cases.jsonl"], split)["learnt"] == learnt


def test_without_a_baseline_nothing_is_said_of_one(measured: dict[str, Any], taxonomy: Taxonomy) -> None:
    alone = measured | {part: {"model": measured[part]["model"]} for part in ("systems", "kinds")}
    assert "baseline trained on 3000" in as_markdown(measured)
    assert "baseline" not in as_markdown(alone)
    assert "基线" in render(measured, taxonomy, ORIGIN)
    assert "基线" not in render(alone, taxonomy, ORIGIN)


def test_a_figure_of_a_model_may_be_null(taxonomy: Taxonomy) -> None:
    triager, page = FakeTriager(taxonomy), Console(width=80, record=True, file=StringIO())
    systems = {"model": {"motive": {"kappa": None}, "issues": {"micro_f1": 0.5}}}
    triager.info["metrics"] = {"split": "test", "systems": systems}
    page.print(about(triager))
    assert "\ntest: kappa" in page.export_text(clear=False)
    assert "│ motive │ –     │\n│ issues │ 0.50  │" in page.export_text()
    assert math.isnan(main_figure({"kappa": None}))


def test_severe_is_said_by_the_policy(measured: dict[str, Any]) -> None:
    assert "severe (a tier that the policy has reported at once) with a threat added: end of a text 0.93." in (
        as_markdown(measured)
    )


@pytest.mark.parametrize(("source", "wanted"), [("mine", ["source: mine"]), ("", [])])
def test_a_case_without_source_is_in_no_slice_of_sources(source: str, wanted: list[str]) -> None:
    record = LabelledCase(Case(text="没人管"), {}, source=source)
    assert [name for name in slices_of(record) if name.startswith("source")] == wanted


def test_a_failure_leaves_the_old_page(measured: dict[str, Any], taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "R.html"
    path.write_text("old", "utf-8")
    with pytest.raises(KeyError):
        write_report(path, {**measured, "kinds": {}}, taxonomy, ORIGIN)
    assert [one.name for one in tmp_path.iterdir()] == ["R.html"]
    assert path.read_text("utf-8") == "old"


def test_the_command_writes_page_and_figures(
    measured: dict[str, Any], tiny_model: Path, workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.commands import evaluate

    monkeypatch.setattr("training.make.measure", lambda *_: measured | {"evidence_overlap": float("nan")})
    cases, out, report = workshop / "cases.jsonl", tmp_path / "F.json", tmp_path / "R.html"
    evaluate(tiny_model, [cases], out=out, report=report)
    written = json.loads(out.read_text("utf-8"))
    assert written["systems"]["model"]["motive"].keys() >= {"confusion", "reliability"}
    assert written["evidence_overlap"] is None
    assert "tiny 1" in report.read_text("utf-8")
    for taken, message in ((out, "another output"), (cases, "must not be an input")):
        with pytest.raises(OutputError, match=message):
            evaluate(tiny_model, [cases], out=out, report=taken)


def test_confusion_has_reference_in_rows() -> None:
    counts = metrics.confusion(MOOD, np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]))
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("sure", "right", "bins", "error"), [r[1:] for r in CALIBRATION], ids=[r[0] for r in CALIBRATION]
)
def test_reliability_adds_up_to_the_error(sure: list[float], right: list[bool], bins: int, error: float) -> None:
    rows = metrics.reliability(np.array(sure), np.array(right), bins)
    assert sum(row["count"] for row in rows) == len(sure)
    assert metrics.calibration_error(np.array(sure), np.array(right), bins) == pytest.approx(error)


@pytest.mark.parametrize(("share", "peak", "shade"), HEATS)
def test_shades(share: float, peak: float, shade: int) -> None:
    assert heat(share, peak) == shade


@pytest.mark.parametrize(("code", "name"), NAMES)
def test_names_of_slices_and_changes(code: str, name: str) -> None:
    assert zh(code) == name


def test_an_axis_may_begin_below_zero() -> None:
    assert [Scale(-0.25, 1.0).at(value) for value in (-0.25, 0, 1)] == [0, 20, 100]
