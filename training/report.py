"""The evaluation as a page: one self-contained file without scripts, drawn from the figures that `measure` returns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from training.tables import SYSTEMS, main_figure, number, severe_part
from triage.artefact import Artefact
from triage.batch.atomic import atomic
from triage.batch.marked import printable
from triage.batch.report.html import content_policy
from triage.privacy import mask_text
from triage.taxonomy import Head, Taxonomy

Figures = Mapping[str, Any]
HEATS = 5
WORSE = 0.1
# fmt: off
_NAMES = {
    "tickets": "工单与单段文本", "conversations": "对话", "real calls": "真实通话",
    "written calls": "编写的通话", "written others": "编写的工单与对话",
    "channel": "渠道", "source": "来源", "characters": "字数", "speakers": "说话人",
    "call": "电话", "chat": "在线", "email": "邮件", "hotline": "热线", "review": "评价", "ticket": "工单",
    "other": "其他",
    "written": "编写", "marked": "有标记", "unmarked": "无标记", "single text": "单段文本",
    "up to 50": "不超过 50", "up to 150": "51 至 150", "up to 400": "151 至 400", "over 400": "超过 400",
    "traditional": "繁体", "full width": "全角", "fillers": "口头语", "homophones": "同音字",
    "no punctuation": "无标点",
    "spaced words": "字间空格", "typos": "错字", "emoji": "表情符号", "polite opening": "客气开头",
    "other names, cities, amounts": "换姓名、城市、金额",
    "end of a text": "文本末尾", "middle of a conversation": "对话中间",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`."""

    low: float
    high: float

    def at(self, value: float, length: float = 100.0) -> float:
        """Where a value lies on an axis of that length."""
        return round((value - self.low) / (self.high - self.low) * length, 2)


def write_report(path: Path, figures: Figures, taxonomy: Taxonomy, origin: Mapping[str, str]) -> None:
    """Write the page to `path`, whole or not at all. `origin` names what was measured; OutputError if it cannot be."""
    with atomic(path) as part:
        part.write_text(render(figures, taxonomy, origin), "utf-8", newline="\n")


def render(figures: Figures, taxonomy: Taxonomy, origin: Mapping[str, str]) -> str:
    """The page as text."""
    model = figures["systems"]["model"]
    heads = [head for head in taxonomy.heads if head.name in model]
    single = [head for head in heads if "classes" in model[head.name]]
    systems = [name for name in SYSTEMS if name in figures["systems"]]
    style = _style()
    context = {
        "figures": figures,
        "model": model,
        "heads": heads,
        "single": single,
        "systems": systems,
        "tiles": list(_tiles(figures)),
        "kinds": [(kind, list(_kind_rows(figures, kind, heads, systems))) for kind in figures["kinds"]["model"]],
        "scale": Scale(_lowest(figures, heads), 1.0),
        "risk": Scale(0.0, _highest_risk(figures, single, systems)),
        "flip_peak": max((rate for rates in figures["flip_rates"].values() for rate in rates.values()), default=0.0),
        "origin": origin,
    }
    page = _environment().get_template("evaluation.html.j2")
    return page.render(context, style=Markup(style), policy=content_policy(style))  # noqa: S704 - our own style sheet


def origin_of(artefact: Artefact, policy: str, cases: Sequence[Path], split: str) -> dict[str, str]:
    """What the figures were measured with and on."""
    manifest = artefact.manifest
    return {
        "模型": f"{manifest.name} {manifest.version}",
        "分类体系": artefact.taxonomy.id,
        "策略": policy,
        "数据": mask_text("、".join(map(str, cases))),
        "部分": "全部" if split == "all" else split,
        "生成时间": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    }


def heat(share: float | None, peak: float = 1.0) -> int:
    """Shade of a table cell, from 0 for nothing to `HEATS` at `peak`."""
    if share is None or math.isnan(share) or not peak:
        return 0
    return math.ceil(max(0.0, min(1.0, share / peak)) * HEATS)


def zh(code: str) -> str:
    """Chinese name of a slice, kind of contact or change; the code itself if it has none."""
    about, colon, value = code.partition(": ")
    return f"{_NAMES.get(about, about)}：{_NAMES.get(value, value)}" if colon else _NAMES.get(code, code)


def known(value: float | None) -> bool:
    """Whether there is anything to draw."""
    return value is not None and not math.isnan(value)


def reliability_points(part: Figures) -> list[tuple[float, float]]:
    """Mean probability and accuracy of every bin."""
    return [(row["confidence"], row["accuracy"]) for row in part["reliability"]]


def coverage(part: Figures) -> list[tuple[float, str]]:
    """Where every share of the cases lies on an axis from the smallest share to all, and its name."""
    shares = {share: float(share.removesuffix(" %")) for share in part["risk_coverage"]}
    axis = Scale(min(shares.values()), max(shares.values()))
    return [(axis.at(value, 1.0), share) for share, value in shares.items()]


def risk_points(part: Figures) -> list[tuple[float, float]]:
    """Where every share lies, and the error rate among it; none where nothing was measured."""
    rates = zip(coverage(part), part["risk_coverage"].values(), strict=True)
    return [(place, rate) for (place, _), rate in rates if known(rate)]


def _tiles(figures: Figures) -> Iterator[tuple[str, str]]:
    """Name and value of the figures at the top."""
    model = figures["systems"]["model"]
    yield "测量案例", f"{figures['cases']:,}"
    if "tfidf" in figures["systems"]:
        yield "基线训练案例", f"{figures['training_cases']:,}"
    yield from ((name, number(value)) for name, value in _asked_for(model))
    yield "证据重合", number(figures["evidence_overlap"])
    yield "重大风险 识别或转人工", number(figures["review"]["severe_seen"])
    yield "转人工占比", number(figures["review"]["reviewed"])
    yield from ((f"威胁识别 · {zh(place)}", number(share)) for place, share in figures["threats_found"].items())


def _asked_for(part: Figures) -> Iterator[tuple[str, float]]:
    """Recall and precision of what must not be missed: severe tiers and unspoken dissatisfaction."""
    if severe := severe_part(part):
        yield "重大风险 召回率", severe["severe_recall"]
        yield "重大风险 精确率", severe["severe_precision"]
    for row in part.get("dissatisfaction", {}).get("classes", ()):
        if row["label"] == "unspoken":
            yield "未明说的不满 召回率", row["recall"] if row["support"] else math.nan
            yield "未明说的不满 精确率", row["precision"] if row["support"] else math.nan


def _kind_rows(
    figures: Figures, kind: str, heads: Sequence[Head], systems: Sequence[str]
) -> Iterator[tuple[str, str | None, list[float]]]:
    """Name, code, and the figure of every system."""
    parts = [figures["kinds"][system][kind] for system in systems]
    for head in heads:
        yield head.zh, head.name, [main_figure(part[head.name]) for part in parts]
    for row in zip(*map(_asked_for, parts), strict=True):
        yield row[0][0], None, [value for _, value in row]


def _lowest(figures: Figures, heads: Sequence[Head]) -> float:
    """Where the axis of agreement begins: 0, or the tenth below the lowest figure."""
    parts = [system[head.name] for system in figures["systems"].values() for head in heads]
    values: list[float] = [value for part in parts for value in (main_figure(part), *part.get("kappa_interval", ()))]
    return math.floor(min([0.0, *filter(known, values)]) * 10) / 10


def _highest_risk(figures: Figures, single: Sequence[Head], systems: Sequence[str]) -> float:
    """Where the axis of error rates ends: the tenth above the highest rate of the model and the first baseline."""
    parts = [figures["systems"][system][head.name] for system in systems[:2] for head in single]
    rates: list[float] = [rate for part in parts for rate in part["risk_coverage"].values() if known(rate)]
    return math.ceil(max([0.1, *rates]) * 10) / 10


def _style() -> str:
    """The style sheet of the triage report, and what is particular to this one."""
    own = resources.files("training").joinpath("templates/evaluation.css").read_text("utf-8")
    return resources.files("triage.batch").joinpath("templates/report.css").read_text("utf-8") + own


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("training", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.globals.update(number=number, heat=heat, zh=zh, known=known, main_figure=main_figure)
    environment.globals.update(reliability_points=reliability_points, coverage=coverage, risk_points=risk_points)
    environment.globals.update(system_names={**SYSTEMS, "model": "模型", "majority": "多数类"}, worse=WORSE)
    return environment
