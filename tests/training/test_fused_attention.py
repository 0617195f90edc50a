"""The exported graph: attention in two operators, and the same logits as torch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import BertConfig, BertModel, RoFormerConfig, RoFormerModel

from training.export import export_onnx, logits_of, prove_parity, round_to_half, save_weights
from training.model import HeadShape, TriageModel
from triage.encode import Encoded

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "type_vocab_size": 3,
}
ENCODERS = {
    "roformer": lambda: RoFormerModel(RoFormerConfig(embedding_size=32, **SIZES)),
    "values turned too": lambda: RoFormerModel(RoFormerConfig(embedding_size=32, rotary_value=True, **SIZES)),
    "bert": lambda: BertModel(BertConfig(**SIZES)),
}


def case(*windows: int) -> Encoded:
    """Windows of so many random tokens."""
    rng = np.random.default_rng(sum(windows))
    return Encoded(
        [rng.integers(1, 50, length).tolist() for length in windows],
        [rng.integers(0, 3, length).tolist() for length in windows],
        [[None] * length for length in windows],
    )


@pytest.mark.parametrize(("kind", "fused_layers"), [("roformer", 2), ("values turned too", 0), ("bert", 0)])
def test_logits_are_those_of_torch(tmp_path: Path, kind: str, fused_layers: int) -> None:
    torch.manual_seed(0)
    model = TriageModel(ENCODERS[kind](), [HeadShape("motive", 4), HeadShape("issues", 3, False)], 0.1)
    torch.nn.init.normal_(model.window_position.weight)
    round_to_half(model)
    save_weights(model, tmp_path)
    export_onnx(model, tmp_path)
    kinds = Counter(node.op_type for node in onnx.load(tmp_path / "model.onnx", load_external_data=False).graph.node)
    assert (kinds["MultiHeadAttention"], kinds["RotaryEmbedding"]) == (fused_layers, 2 * fused_layers)
    cases = [case(1), case(9), case(40), case(3, 40), case(40, 3, 17)]
    logits = logits_of(tmp_path / "model.onnx", cases)
    assert np.ptp(logits, axis=0).min() > 0.01
    assert prove_parity(model, cases, logits, 1e-4) < 1e-4
