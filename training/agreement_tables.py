"""Agreement as Markdown, which also reads well in a terminal."""

from __future__ import annotations

from typing import Any

from training.agreement import Agreement, Dispute
from training.tables import bullets, number, safe, table


def as_markdown(found: Agreement, show: int = 20) -> str:
    """Figures by head and by label, and at most `show` cases to discuss."""
    heads = [
        [name, str(one.cases), *map(number, (one.agreement, one.unweighted, one.alpha, one.same))]
        for name, one in found.heads.items()
    ]
    labels = [
        [name, code, str(given), number(share)]
        for name, one in found.heads.items()
        for code, (given, share) in one.labels.items()
        if given
    ]
    parts = [
        "Annotators: " + ", ".join(f"{safe(name)} {count}" for name, count in found.annotators.items()),
        table(["head", "cases", "agreement", "unweighted", "alpha", "all the same"], heads),
        "agreement: Cohen's kappa, quadratic weights where labels are ordered; micro-F1 of a multi-label head. "
        "unweighted: kappa without weights. Both are means over pairs of annotators. alpha: Krippendorff's.",
        table(["head", "label", "given", "shared"], labels),
        bullets("Cases to discuss, the worst first", map(_line, found.discuss), show),
    ]
    return "\n\n".join(filter(None, parts))


def _line(dispute: Dispute) -> str:
    heads = (f"{name} {' / '.join(map(_label, given.values()))}" for name, given in dispute.heads.items())
    return f"{dispute.id} ({dispute.severity:.2f}): {'; '.join(heads)}"


def _label(value: Any) -> str:
    return "+".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
