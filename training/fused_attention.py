"""RoFormer's attention as two operators of ONNX Runtime, where tracing would leave some forty small ones a layer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.roformer.modeling_roformer import RoFormerSelfAttention

from training.model import TriageModel

DOMAIN = "com.microsoft"


def fused(model: TriageModel) -> TriageModel:
    """A copy to be traced, its parameters under the same names. An encoder of another kind stays as it is."""
    model = copy.deepcopy(model)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, RoFormerSelfAttention) and not child.rotary_value and not child.is_decoder:
                setattr(module, name, _FusedAttention(child))
    return model


class _FusedAttention(nn.Module):
    def __init__(self, plain: RoFormerSelfAttention):
        super().__init__()
        self.query, self.key, self.value = plain.query, plain.key, plain.value
        self.number = plain.num_attention_heads

    def forward(
        self, states: Tensor, attention_mask: Tensor, sinusoidal_pos: Tensor, **_others: Any
    ) -> tuple[Tensor, None]:
        sine, cosine = sinusoidal_pos[0, 0].chunk(2, dim=-1)
        present = (attention_mask[:, 0, 0] == 0).to(torch.int32)
        start = torch.zeros(1, dtype=torch.int64)
        query = _rotary(self.query(states), start, cosine, sine)
        key = _rotary(self.key(states), start, cosine, sine)
        return _attention(query, key, self.value(states), present, self.number), None


class _Rotary(torch.autograd.Function):
    """Traced only: what it returns has the right shape and no meaning."""

    @staticmethod
    def forward(_context: Any, states: Tensor, *_places: Tensor) -> Tensor:
        return torch.zeros_like(states)

    @staticmethod
    def symbolic(graph: Any, states: Any, start: Any, cosine: Any, sine: Any) -> Any:
        made = graph.op(f"{DOMAIN}::RotaryEmbedding", states, start, cosine, sine, interleaved_i=1)
        made.setType(states.type())
        return made


class _Attention(torch.autograd.Function):
    """Traced only, as above."""

    @staticmethod
    def forward(_context: Any, query: Tensor, _key: Tensor, _value: Tensor, _present: Tensor, _number: int) -> Tensor:
        return torch.zeros_like(query)

    @staticmethod
    def symbolic(graph: Any, query: Any, key: Any, value: Any, present: Any, number: int) -> Any:
        no_bias = graph.op("prim::Constant")
        no_bias.setType(torch._C.OptionalType.ofTensor())
        made = graph.op(f"{DOMAIN}::MultiHeadAttention", query, key, value, no_bias, present, num_heads_i=number)
        made.setType(query.type())
        return made


_rotary: Callable[..., Tensor] = _Rotary.apply
_attention: Callable[..., Tensor] = _Attention.apply
