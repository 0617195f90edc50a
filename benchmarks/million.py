"""Tickets by the hundred thousand: rate and memory of `triage score`, beside two yardsticks in the same run.

Run: python benchmarks/million.py [--rows 1000000] [--yardstick-rows 2000] [options of triage score]
Needs the extra 'train' for the yardsticks.

The tickets are the samples repeated, each time cut at another place and joined the other way round. Prints rows a
second and the memory (PSS) of all processes of the run at every tenth of its time; then, on the same cores and on the
first rows of the same file, the rate of a plain transformers pipeline on the same weights (the encoder alone: without
heads, evidence, signals or policy; segmentation not counted), one at a time and 64 at a time, and that of TF-IDF with
logistic regression (fitted on some of the cases of the repository; only its rate counts here). Beside rows a second
stand rows for each second of processor time, which a busy machine falsifies less.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "models" / "default"
PROGRAM = "import sys; from triage.cli import main; main()"
POINTS = 10


def tickets(rows: int) -> Iterator[dict[str, Any]]:
    """So many different tickets."""
    samples = [json.loads(line) for line in (ROOT / "data" / "samples" / "tickets.jsonl").open(encoding="utf-8")]
    chance = random.Random(1)  # noqa: S311
    for number in range(rows):
        ticket = samples[number % len(samples)]
        cut = chance.randrange(len(ticket["text"]))
        yield {**ticket, "id": f"T-{number}", "text": ticket["text"][cut:] + ticket["text"][:cut]}


def memory_of(parent: int) -> int:
    """Bytes of memory (proportional set size) of a process and all that it started."""
    total, open_ends = 0, [parent]
    while open_ends:
        process = Path("/proc") / str(open_ends.pop())
        try:
            lines = (process / "smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
            open_ends += map(int, (process / "task" / process.name / "children").read_text().split())
        except (OSError, StopIteration):
            continue
    return total


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows a second, and rows for each second of processor time of all cores together."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:,.0f} rows/s, {self.processor:,.0f} for each second of processor time"


def processor_seconds() -> float:
    """What this process and those that it waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def rate(work: Callable[[], object], rows: int) -> Rate:
    """How fast the work goes."""
    started, used = time.perf_counter(), processor_seconds()
    work()
    return Rate(rows / (time.perf_counter() - started), rows / (processor_seconds() - used))


def score(source: Path, out: Path, options: list[str]) -> list[int]:
    """Memory of `triage score` while it runs."""
    words = ["score", source, "-o", out, "--quiet", "--model", MODEL, *options]
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *words], cwd=ROOT) as process:  # noqa: S603
        memory = []
        while process.poll() is None:
            memory.append(memory_of(process.pid))
            time.sleep(1)
    if process.returncode:
        raise SystemExit(f"triage score ended with {process.returncode}")
    return memory


def transformers_pipeline() -> Callable[[list[str], int], object]:
    """A function of texts (words between spaces) and batch size that runs the pipeline over them."""
    import torch
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import AutoModel, PreTrainedTokenizerFast, pipeline

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(MODEL / "tokenizer.json"), model_max_length=512, **special)
    tokenizer.backend_tokenizer.pre_tokenizer = WhitespaceSplit()
    model = AutoModel.from_pretrained(MODEL, dtype=torch.float32).eval()
    run = pipeline("feature-extraction", model=model, tokenizer=tokenizer, device="cpu")
    return lambda texts, size: [None for _ in run((text for text in texts), batch_size=size, truncation=True)]


def yardsticks(source: Path, rows: int) -> Iterator[tuple[str, Rate]]:
    """Rates of what the pipeline is compared with."""
    from training.baseline import Baseline
    from training.cases import LabelledCase, read_cases
    from triage.case import Case
    from triage.segment import Segmenter
    from triage.taxonomy import load_taxonomy

    with source.open(encoding="utf-8") as lines:
        cases = [Case.read(json.loads(line)) for line, _ in zip(lines, range(rows), strict=False)]
    segmenter, taxonomy = Segmenter("rjieba"), load_taxonomy()
    texts = [" ".join(word.text for word in segmenter(case.text or "")) for case in cases]
    plain = transformers_pipeline()
    plain(texts[:64], 64)
    yield "plain transformers pipeline, one at a time", rate(lambda: plain(texts, 1), rows)
    yield "plain transformers pipeline, 64 at a time", rate(lambda: plain(texts, 64), rows)
    labelled = sorted((ROOT / "data" / "cases").glob("set_[abc].jsonl"))
    baseline = Baseline(taxonomy, segmenter).fit(read_cases(labelled, taxonomy))
    records = [LabelledCase(case, {}) for case in cases]
    yield "TF-IDF with logistic regression", rate(lambda: baseline.predict(records), rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--yardstick-rows", type=int, default=2_000)
    arguments, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        source, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        with source.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(ticket, ensure_ascii=False) + "\n" for ticket in tickets(arguments.rows))
        print(
            f"{arguments.rows:,} tickets, {source.stat().st_size / 1e6:,.0f} MB, {len(os.sched_getaffinity(0))} cores"
        )
        memory: list[int] = []
        own = rate(lambda: memory.extend(score(source, out, more)), arguments.rows)
        curve = [memory[len(memory) * point // POINTS] / 1e6 for point in range(1, POINTS)]
        print(f"triage score: {own}; {out.stat().st_size / 1e6:,.0f} MB of answers")
        print(f"memory at every tenth of the time, MB: {' '.join(f'{one:,.0f}' for one in curve)}")
        print(f"memory at most, MB: {max(memory) / 1e6:,.0f}", flush=True)
        for name, other in yardsticks(source, arguments.yardstick_rows):
            times = f"{own.wall / other.wall:.1f} ({own.processor / other.processor:.1f} by processor time)"
            print(f"{name}: {other}; triage score is {times} times as fast", flush=True)


if __name__ == "__main__":
    main()
