"""jieba beside its Rust port on the cases of the repository. Run: python benchmarks/segmenters.py

Prints the share of cases cut alike, the share of word boundaries shared, characters a second, and load time.
"""

import json
import time
from pathlib import Path

from triage.normalise import normalise
from triage.segment import ENGINES, Segmenter

ROOT = Path(__file__).parent.parent


def texts() -> list[str]:
    """All texts of `data/cases`, normalised; turns joined."""
    rows = [json.loads(line) for file in sorted((ROOT / "data" / "cases").glob("*.jsonl")) for line in file.open("rb")]
    raw = [row["text"] if "text" in row else "\n".join(turn["text"] for turn in row["turns"]) for row in rows]
    return [normalise(text).text for text in raw]


def main() -> None:
    given = texts()
    cuts = {}
    for engine in ENGINES:
        started = time.perf_counter()
        segmenter = Segmenter(engine)
        segmenter("投诉")
        loaded = time.perf_counter()
        cuts[engine] = [segmenter(text) for text in given]
        rate = sum(map(len, given)) / (time.perf_counter() - loaded)
        print(f"{engine}: load {loaded - started:.2f} s, {rate / 1e6:.2f} million characters/s")
    pairs = list(zip(*cuts.values(), strict=True))
    print(f"cases cut alike: {sum(a == b for a, b in pairs) / len(pairs):.1%}")
    ends = [({word.end for word in a}, {word.end for word in b}) for a, b in pairs]
    print(f"word boundaries shared: {sum(len(a & b) for a, b in ends) / sum(len(a | b) for a, b in ends):.2%}")


if __name__ == "__main__":
    main()
