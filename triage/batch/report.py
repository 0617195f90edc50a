"""The HTML report: one self-contained file without scripts, fonts or anything from a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from triage.batch.charts import charts, cross_table, group_tables, headlines
from triage.batch.marked import SPEAKER_NAMES, printable
from triage.batch.names import Names
from triage.batch.tally import Tally
from triage.batch.view import case_view
from triage.privacy import mask_text


def write_report(path: Path, tally: Tally, info: dict[str, Any], sources: Sequence[str]) -> None:
    """Render what was counted to `path`, case by case."""
    style = _style()
    names = Names.of(tally.taxonomy, info)
    ranked = tally.top.ranked()
    page = (
        _environment()
        .get_template("report.html")
        .generate(
            tally=tally,
            headlines=headlines(tally),
            charts=charts(tally) if tally.done else [],
            cross=cross_table(tally),
            groups=group_tables(tally) if tally.done else [],
            cases=(case_view(case, result, names) for case, result in ranked),
            shown=len(ranked),
            evidence_name=names.evidence,
            speakers=SPEAKER_NAMES,
            origin=_origin(info, sources),
            style=Markup(style),  # noqa: S704 - our own style sheet, not input
            policy=content_policy(style),
        )
    )
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(page)


def content_policy(style: str) -> str:
    """A policy that allows this style sheet, by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _style() -> str:
    sheet = resources.files("triage.batch").joinpath("templates/report.css").read_text("utf-8")
    return sheet + "".join(f".w{percent}{{width:{percent}%}}" for percent in range(101))


def _origin(info: dict[str, Any], sources: Sequence[str]) -> list[tuple[str, str]]:
    """Where the figures come from."""
    files = "、".join(sources[:5]) + (f" 等 {len(sources)} 个文件" if len(sources) > 5 else "")
    rows = {
        "数据": printable(mask_text(files)),
        "生成时间": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "模型": f"{info.get('name', '')} {info.get('version', '')}".strip(),
        "分类体系": str(info.get("taxonomy", "")),
        "策略": str(info.get("policy", "")),
    }
    return [(name, value) for name, value in rows.items() if value]


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("triage.batch", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
