"""One case and its triage for the terminal. Words of a contact are shown as they are, never read as markup."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from triage.batch.marked import SPEAKER_NAMES, MarkedTurn
from triage.batch.names import Names
from triage.batch.view import Answer, CaseView, case_view
from triage.case import Case
from triage.result import TriageResult

_BAR = 12
_PLAIN = "cyan"
_LEVEL_STYLES = ("bright_black", "cyan", "yellow", "dark_orange", "red")
_SOURCE_STYLES = {"signal": "black on yellow", "model": "underline yellow", "agent": "black on bright_cyan"}


def explain(case: Case, result: TriageResult, names: Names) -> RenderableType:
    """Labels with scores, the text with its evidence, what to do and why a person should look.

    `result` has been masked by `mask_result`.
    """
    view = case_view(case, result, names)
    parts: list[RenderableType] = [_answers(view), Panel(_words(view, names), title="原文", title_align="left")]
    if view.evidence:
        parts.append(_evidence(view, names))
    return Group(*parts, _advice(view))


def score_bar(score: float, level: int | None = None) -> Text:
    """A score from 0 to 1 as a small bar."""
    filled = round(score * _BAR)
    style = _PLAIN if level is None else _LEVEL_STYLES[level]
    return Text.assemble(("█" * filled, style), ("░" * (_BAR - filled), "bright_black"), f" {score:.0%}")


def _answers(view: CaseView) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    previous = ""
    for answer in view.answers:
        table.add_row(Text(answer.head if answer.head != previous else "", "dim"), _label(answer), _bar(answer))
        previous = answer.head
    return table


def _label(answer: Answer) -> Text:
    because = f" 因{'、'.join(answer.reasons)}" if answer.reasons else ""
    return Text.assemble((answer.label, "bold"), (because, "dim"))


def _bar(answer: Answer) -> Text:
    return score_bar(answer.score, answer.level)


def _words(view: CaseView, names: Names) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for turn in view.turns:
        table.add_row(Text(SPEAKER_NAMES[turn.speaker], "bold dim"), _turn(turn, names))
    return table


def _turn(turn: MarkedTurn, names: Names) -> Text:
    line = Text()
    for piece in turn.pieces:
        line.append(piece.text, _SOURCE_STYLES.get(piece.evidence[0].source) if piece.evidence else None)
        ending = [one for one in piece.evidence if one.source == "signal" and one.text.endswith(piece.text)]
        if ending:
            line.append(f"〔{'、'.join(dict.fromkeys(map(names.evidence, ending)))}〕", "dim yellow")
    return line


def _evidence(view: CaseView, names: Names) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title="依据", title_justify="left")
    for one in view.evidence:
        table.add_row(Text(one.text, _SOURCE_STYLES.get(one.source, "")), Text(names.evidence(one), "dim"))
    return table


def _advice(view: CaseView) -> Panel:
    advice = view.advice
    lines = [Text.assemble((advice.owner, "bold"), f" · {advice.time}内响应 · {advice.allowance}")]
    lines += [Text(f"{number}. {action}") for number, action in enumerate(advice.actions, start=1)]
    if view.review:
        lines.append(Text(f"需人工复核：{'；'.join(view.review)}", "bold magenta"))
    return Panel(Text("\n").join(lines), title="处理建议", title_align="left")
