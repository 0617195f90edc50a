"""What the rate of scoring is compared with: a plain transformers pipeline on the same weights, and TF-IDF."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.baseline import Baseline
from training.cases import LabelledCase, read_cases
from triage.case import Case
from triage.segment import Segmenter
from triage.taxonomy import load_taxonomy

_SIZES = (1, 8, 32, 64)
_TRIED = 128


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows a second, and rows for each second of processor time of all cores together."""

    wall: float
    processor: float


def rate(work: Callable[[], object], rows: int) -> Rate:
    """How fast the work goes in this process."""
    started, used = time.perf_counter(), _processor_seconds()
    work()
    return Rate(rows / (time.perf_counter() - started), rows / (_processor_seconds() - used))


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def yardsticks(cases: list[Case], model: Path, labelled: list[Path]) -> Iterator[tuple[str, Rate]]:
    """Rates over the cases. The pipeline runs at the batch size that is fastest on some of them; its segmentation is
    not counted, and it has no heads, evidence, signals or policy."""
    segmenter, taxonomy = Segmenter("rjieba"), load_taxonomy()
    texts = [" ".join(word.text for word in segmenter(case.text or "")) for case in cases]
    plain = transformers_pipeline(model)
    tried = texts[:_TRIED]
    plain(tried[:8], 8)
    rates = {size: rate(lambda size=size: plain(tried, size), len(tried)).wall for size in _SIZES}
    best = max(rates, key=lambda size: rates[size])
    yield f"plain transformers pipeline, {best} at a time", rate(lambda: plain(texts, best), len(texts))
    baseline = Baseline(taxonomy, segmenter).fit(read_cases(labelled, taxonomy))
    records = [LabelledCase(case, {}) for case in cases]
    yield "TF-IDF with logistic regression", rate(lambda: baseline.predict(records), len(records))


def transformers_pipeline(model: Path) -> Callable[[list[str], int], object]:
    """A function of texts (words between spaces) and batch size that runs the encoder of a model over them."""
    import torch
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import AutoModel, PreTrainedTokenizerFast, pipeline

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(model / "tokenizer.json"), model_max_length=512, **special)
    tokenizer.backend_tokenizer.pre_tokenizer = WhitespaceSplit()
    encoder = AutoModel.from_pretrained(model, dtype=torch.float32).eval()
    run = pipeline("feature-extraction", model=encoder, tokenizer=tokenizer, device="cpu")
    return lambda texts, size: [None for _ in run((text for text in texts), batch_size=size, truncation=True)]
