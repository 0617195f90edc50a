"""The peer of `load.py`: FastAPI around a plain transformers pipeline (torch, one thread) on the same weights.

It computes the encoder only: no heads, no lexicon, no policy, no keys. Run: python benchmarks/peer.py MODEL PORT
"""

import sys
from pathlib import Path
from typing import Any

import rjieba
import torch
import uvicorn
from fastapi import FastAPI
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModel, PreTrainedTokenizerFast, pipeline


def main(folder: Path, port: int) -> None:
    torch.set_num_threads(1)
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]")  # noqa: S106
    encode = pipeline("feature-extraction", model=AutoModel.from_pretrained(folder), tokenizer=tokenizer)
    app = FastAPI()

    @app.post("/v1/triage")
    def triage(case: dict[str, Any]) -> list[float]:
        vectors = encode(" ".join(rjieba.cut(case["text"])), return_tensors=True)
        mean: list[float] = vectors[0].mean(0).tolist()
        return mean

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
