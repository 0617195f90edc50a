"""Figures as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from triage.batch.marked import printable
from triage.privacy import mask_text

SYSTEMS = {"model": "model", "tfidf": "TF-IDF + LR", "majority": "majority"}


def number(value: float | None) -> str:
    """Two decimals; a dash where there is nothing to measure."""
    return "–" if value is None or math.isnan(value) else f"{value:.2f}"


def as_json(figures: Mapping[str, Any]) -> str:
    """Indented JSON; null where there is nothing to measure."""
    return to_json(figures, indent=1, inf_nan_mode="null").decode()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def safe(text: str) -> str:
    """Ids and rows are the reader's own words: masked, on one line, and no end of a table cell."""
    return " ".join(printable(mask_text(text)).split()).replace("|", "\\|")


def bullets(title: str, lines: Iterable[str], show: int) -> str:
    """A list under its title, at most `show` lines and how many more there are; nothing for an empty one."""
    lines = list(lines)
    more = [f"- and {len(lines) - show} more"] if len(lines) > show else []
    return (
        "\n".join([f"{title} ({len(lines)}):", *(f"- {safe(line)}" for line in lines[:show]), *more]) if lines else ""
    )


def main_figure(head: Mapping[str, Any]) -> float:
    """Kappa, or micro-F1 of a multi-label head; NaN where neither was measured (null in JSON)."""
    value = head.get("kappa", head.get("micro_f1"))
    return math.nan if value is None else float(value)


def as_markdown(figures: Mapping[str, Any]) -> str:
    """All tables of one evaluation: heads by system, kinds of contact, calibration, classes, slices."""
    systems = [name for name in SYSTEMS if name in figures["systems"]]
    names = list(figures["systems"]["model"])
    learnt = f"; baseline trained on {figures['training_cases']}" if "tfidf" in systems else ""
    parts = [
        f"{figures['cases']} cases measured{learnt}. Cohen's kappa "
        "(quadratic weights where labels are ordered; micro-F1 where a case may have several).",
        table(
            ["head", *(SYSTEMS[name] for name in systems), "model, 95 %", "calibration error"],
            [_head_row(figures, name, systems) for name in names],
        ),
        f"Evidence: a reference quote overlaps the top 3 pieces in {number(figures['evidence_overlap'])} of the cases.",
        *(_kind_table(figures, kind, systems, names) for kind in figures["kinds"]["model"]),
        *(_class_table(figures, name) for name in names if "classes" in figures["systems"]["model"][name]),
        "Abstention: error rate among the most confident share of the cases",
        table(
            [
                "head",
                *next(head["risk_coverage"] for head in figures["systems"]["model"].values() if "classes" in head),
            ],
            [
                [name, *(number(risk) for risk in figures["systems"]["model"][name]["risk_coverage"].values())]
                for name in names
                if "classes" in figures["systems"]["model"][name]
            ],
        ),
        "Robustness: share of labels that change when the meaning does not (first 400 cases)",
        table(
            ["change", *(name for name in names if "classes" in figures["systems"]["model"][name])],
            [[change, *(number(rate) for rate in rates.values())] for change, rates in figures["flip_rates"].items()],
        ),
        "Mild cases that become severe (a tier that the policy has reported at once) with a threat added: "
        + ", ".join(f"{place} {number(share)}" for place, share in figures["threats_found"].items())
        + ".",
        "Severe cases that are called severe or sent to a person: {severe_seen}; all cases sent to a person: "
        "{reviewed}.".format(**{name: number(share) for name, share in figures["review"].items()}),
        "Slices (model)",
        table(
            ["slice", "cases", *names],
            [
                [slice_name, str(row["cases"]), *(number(row[name]) for name in names)]
                for slice_name, row in figures["slices"].items()
            ],
        ),
    ]
    return "\n\n".join(parts)


def _head_row(figures: Mapping[str, Any], name: str, systems: Sequence[str]) -> list[str]:
    model = figures["systems"]["model"][name]
    low, high = map(number, model.get("kappa_interval", (None, None)))
    return [
        name,
        *(number(main_figure(figures["systems"][system][name])) for system in systems),
        low if low == "–" else f"{low} to {high}",
        number(model.get("calibration_error")),
    ]


def _kind_table(figures: Mapping[str, Any], kind: str, systems: Sequence[str], names: Sequence[str]) -> str:
    parts = {system: figures["kinds"][system][kind] for system in systems}
    rows = [[name, *(number(main_figure(parts[system][name])) for system in systems)] for name in names]
    for figure in ("recall", "precision"):
        severe = [severe_part(parts[system]).get(f"severe_{figure}") for system in systems]
        if any(value is not None for value in severe):
            rows.append([f"severe {figure}", *map(number, severe)])
    if "dissatisfaction" in names:
        for figure in ("recall", "precision"):
            rows.append([f"unspoken {figure}", *(number(_unspoken(parts[system], figure)) for system in systems)])
    cases = max(part["cases"] for part in parts["model"].values())
    return f"{kind} ({cases} cases)\n\n" + table([kind, *(SYSTEMS[system] for system in systems)], rows)


def severe_part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures of the head whose severe labels were counted; empty if no head's were."""
    return next((one for one in part.values() if "severe_recall" in one), {})


def _unspoken(part: Mapping[str, Any], figure: str) -> float:
    rows = [row for row in part["dissatisfaction"].get("classes", ()) if row["label"] == "unspoken"]
    return float(rows[0][figure]) if rows and rows[0]["support"] else float("nan")


def _class_table(figures: Mapping[str, Any], name: str) -> str:
    rows = [
        [row["label"], number(row["precision"]), number(row["recall"]), number(row["f1"]), str(row["support"])]
        for row in figures["systems"]["model"][name]["classes"]
    ]
    return f"{name}\n\n" + table(["label", "precision", "recall", "F1", "cases"], rows)


def readme_table(figures: Mapping[str, Any]) -> str:
    """The table of the README: the model's figure and the baseline's, for every head and kind of contact."""
    kinds = list(figures["kinds"]["model"])
    names = list(figures["systems"]["model"])

    def cell(kind: str, pick: Callable[[Mapping[str, Any]], float | None]) -> str:
        return " / ".join(number(pick(figures["kinds"][system][kind])) for system in ("model", "tfidf"))

    figures_of: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
        **{name: lambda part, name=name: main_figure(part[name]) for name in names},  # type: ignore[misc]
        "severe recall": lambda part: severe_part(part)["severe_recall"],
        "severe precision": lambda part: severe_part(part)["severe_precision"],
        "unspoken recall": lambda part: _unspoken(part, "recall"),
        "unspoken precision": lambda part: _unspoken(part, "precision"),
    }
    rows = [[name, *(cell(kind, pick) for kind in kinds)] for name, pick in figures_of.items()]
    counts = [max(part["cases"] for part in figures["kinds"]["model"][kind].values()) for kind in kinds]
    return table(["model / TF-IDF", *(f"{kind} ({count})" for kind, count in zip(kinds, counts, strict=True))], rows)
