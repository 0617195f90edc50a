"""500 cases under a taxonomy of their own, to see what `triage train` takes with such.

    python benchmarks/own_taxonomy.py build/own
    O=build/own; time triage train $O/cases.jsonl --taxonomy $O/taxonomy.yaml --policy $O/policy.yaml --out build/own500

Cases of `data/cases`, drawn with a seed, without their splits: the tier under another name and other grades, a new
head for the line of business, neither issues nor class of caller.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from triage.policy import DEFAULT_POLICY
from triage.taxonomy import DEFAULT_TAXONOMY

ROOT = Path(__file__).parent.parent
CASES, LINES = 500, 4
KEPT = ("complaint_type", "motive", "dissatisfaction", "emotion", "escalation")
GRADES = "EDCBA"


def taxonomy(lines: list[str]) -> dict[str, Any]:
    """The default heads that are kept, the tier as `grade`, and `line`."""
    given = yaml.safe_load(DEFAULT_TAXONOMY.read_text("utf-8"))
    heads = {head["name"]: head for head in given["heads"]}
    line = {"name": "line", "kind": "single", "zh": "业务线", "en": "line of business"}
    line["labels"] = [{"code": code, "zh": code, "en": code} for code in [*lines, "rest"]]
    grade = {**heads["risk_tier"], "name": "grade", "zh": "级别", "en": "grade"}
    return {**given, "name": "own", "heads": [*(heads[name] for name in KEPT), grade, line]}


def policy() -> dict[str, Any]:
    """The default policy for these heads, with letters for grades."""
    given = yaml.safe_load(DEFAULT_POLICY.read_text("utf-8").replace("risk_tier", "grade"))
    left_out = {"issues", "contact_class"}
    return {
        **given,
        "name": "own",
        "tiers": [{**tier, "code": code} for tier, code in zip(given["tiers"], GRADES, strict=True)],
        "heads": {name: rule for name, rule in given["heads"].items() if name not in left_out},
        "advice": [advice for advice in given["advice"] if advice.get("head") not in left_out],
    }


def case(row: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    """A record of `data/cases` in the labels of the taxonomy."""
    industry = row.get("industry")
    labels = {name: row["labels"][name] for name in KEPT}
    labels |= {"grade": row["labels"]["risk_tier"], "line": industry if industry in lines else "rest"}
    return {**{name: row[name] for name in ("id", "channel", "text", "turns") if name in row}, "labels": labels}


def main() -> None:
    """Read the argument, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    files = sorted((ROOT / "data" / "cases").glob("set_*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    drawn = random.Random(7).sample(rows, CASES)  # noqa: S311
    lines = [industry for industry, _ in Counter(row.get("industry") for row in drawn).most_common(LINES)]
    text = "".join(json.dumps(case(row, lines), ensure_ascii=False) + "\n" for row in drawn)
    (out / "cases.jsonl").write_text(text, "utf-8")
    for name, settings in (("taxonomy", taxonomy(lines)), ("policy", policy())):
        (out / f"{name}.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")


if __name__ == "__main__":
    main()
