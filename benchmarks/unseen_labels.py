"""Cases with labels that the shipped model never saw: stars of reviews, feelings of microblogs.

    python benchmarks/unseen_labels.py CORPUS build/unseen

writes `cases.jsonl` and `taxonomy.yaml` for `benchmarks/learning_curve.py`: as many texts of each kind, drawn with a
seed, each with the label of its own head. CORPUS is what `triage train --corpus` takes, no part of the repository;
`auxiliary/stars.jsonl` (15,168 reviews) and `auxiliary/emotion.jsonl` (34,330 microblogs, SMP2020-EWECT) are read.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

RATING = {"1": "一星", "2": "二星", "3": "三星", "4": "四星", "5": "五星"}
FEELING = {"neutral": "平静", "angry": "愤怒", "happy": "高兴", "sad": "悲伤", "afraid": "恐惧", "surprised": "惊讶"}
OF_EACH = 4_500


def head(name: str, kind: str, zh: str, labels: dict[str, str]) -> dict[str, Any]:
    """A head of a taxonomy file; `labels` maps codes to Chinese names."""
    described = [{"code": code, "zh": label, "en": code} for code, label in labels.items()]
    return {"name": name, "kind": kind, "zh": zh, "en": name, "labels": described}


def labelled(corpus: Path) -> Iterator[list[dict[str, Any]]]:
    """The records of one kind after those of the other, in the form of `data/cases`."""
    feelings = list(FEELING)
    for name in ("stars", "emotion"):
        with (corpus / "auxiliary" / f"{name}.jsonl").open(encoding="utf-8") as lines:
            rows = [row for line in lines if (row := json.loads(line))["text"].strip()]
        yield [
            {
                "id": f"{name}-{number}",
                "channel": "review",
                "text": row["text"],
                "labels": {"rating": str(row["stars"])} if "stars" in row else {"feeling": feelings[row["emotion_id"]]},
            }
            for number, row in enumerate(rows)
        ]


def main() -> None:
    """Read the arguments, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(0)  # noqa: S311
    drawn = [record for kind in labelled(arguments.corpus) for record in chance.sample(kind, OF_EACH)]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in drawn)
    (arguments.out / "cases.jsonl").write_text(text, "utf-8")
    heads = [head("rating", "ordered", "星级", RATING), head("feeling", "single", "情绪", FEELING)]
    taxonomy = {"name": "unseen", "version": "1", "heads": heads}
    (arguments.out / "taxonomy.yaml").write_text(yaml.safe_dump(taxonomy, allow_unicode=True, sort_keys=False), "utf-8")


if __name__ == "__main__":
    main()
