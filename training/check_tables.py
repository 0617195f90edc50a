"""The report of `triage data check` as Markdown, which also reads well in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.check import Report
from training.tables import bullets, number, safe, table

_ADVICE = {
    "problems": "rows that cannot be read",
    "repeated_ids": "ids given more than once",
    "duplicates": "pairs with the same words",
    "near_duplicates": "pairs with almost the same words",
    "leaks": "groups that are in more than one split",
}


def as_markdown(report: Report, show: int = 20) -> str:
    """All of it, at most `show` lines a list."""
    found = ", ".join(f"{count} {_ADVICE[name]}" for name, count in report.findings.items())
    parts = [
        f"{report.cases} cases; splits {_counts(report.splits)}; channels {_counts(report.channels)}",
        f"To mend: {found}" if found else "Nothing to mend.",
        bullets("Rows that cannot be read", report.problems, show),
        bullets("Columns and heads not in the taxonomy", [f"{k} ({n})" for k, n in report.unused.items()], show),
        _label_table(report),
        bullets("Labels with few cases", report.few, show),
        "Length: " + "; ".join(f"{what} {_counts(values)}" for what, values in report.length.items() if values),
        bullets("Very short", report.short, show),
        f"Similarity to the nearest other case: {_counts(report.similarity)}",
        bullets("Ids given more than once", report.repeated_ids, show),
        bullets("Duplicates", map(_pair, report.duplicates), show),
        bullets("Near-duplicates", map(_pair, _most_alike(report.near_duplicates)), show),
        bullets("Leakage", [f"{x.reason}: {' '.join(x.ids)} ({' + '.join(x.splits)})" for x in report.leaks], show),
        f"Identifiers of persons left in {len(report.with_identifiers)} cases (masked in training): "
        + (_counts(report.identifiers) or "none"),
        report.not_judged or _suspicion_table(report, show),
    ]
    return "\n\n".join(filter(None, parts))


def _label_table(report: Report) -> str:
    splits = list(report.splits)
    rows = [
        [head, code, str(sum(counts.values())), *(str(counts.get(split, 0)) for split in splits)]
        for head, codes in report.heads.items()
        for code, counts in codes.items()
    ]
    return table(["head", "label", "cases", *splits], rows)


def _suspicion_table(report: Report, show: int) -> str:
    if not report.suspicious:
        return "No suspicious labels."
    rows = [
        [safe(one["record"]), one["head"], one["given"], one["suggested"], number(one["score"])]
        for one in report.suspicious[:show]
    ]
    title = f"Suspicious labels: {len(report.suspicious)}, the least believable first; read these again"
    return f"{title}\n\n" + table(["case", "head", "given", "looks like", "probability of the given"], rows)


def _most_alike(pairs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(pairs, key=lambda pair: -pair["similarity"])


def _pair(pair: dict[str, Any]) -> str:
    notes = ["across splits"] if pair["across_splits"] else []
    notes += [f"labels differ: {', '.join(pair['labels_differ'])}"] if pair["labels_differ"] else []
    return f"{pair['similarity']:.2f}: {' '.join(pair['ids'])}" + (f" ({'; '.join(notes)})" if notes else "")


def _counts(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())
