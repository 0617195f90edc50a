"""The network: an encoder over windows, and heads whose logits are sums of what each word contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_HEAD_WIDTH = 128
_LATEST_WINDOWS = 8
LAST_LAYER = "score.3"  # of a head: a row a label


@dataclass(frozen=True, slots=True)
class HeadShape:
    """One head of the network: its name, number of labels, and whether the labels exclude each other."""

    name: str
    labels: int
    exclusive: bool = True


class AdditiveHead(nn.Module):
    """Logits as an attention-weighted sum of per-word scores, so that each word's share of a logit is exact."""

    def __init__(self, hidden: int, labels: int, dropout: float):
        super().__init__()
        self.attention = nn.Linear(hidden, 1)
        self.score = nn.Sequential(
            nn.Linear(hidden, _HEAD_WIDTH), nn.GELU(), nn.Dropout(dropout), nn.Linear(_HEAD_WIDTH, labels)
        )

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Contributions `[cases, words, labels]` from states `[cases, words, hidden]`; they add up to the logits."""
        attention = self.attention(states).squeeze(-1).float().masked_fill(mask == 0, -1e4).softmax(-1)
        contributions: Tensor = attention.unsqueeze(-1) * self.score(states).float()
        return contributions


class TriageModel(nn.Module):
    """Encoder, window positions counted from the end, and additive heads side by side."""

    def __init__(self, encoder: Any, heads: list[HeadShape], dropout: float):
        super().__init__()
        self.encoder = encoder
        self.shapes = heads
        self.tells_roles = getattr(encoder.config, "type_vocab_size", 0) > 1
        hidden = encoder.config.hidden_size
        self.window_position = nn.Embedding(_LATEST_WINDOWS, hidden)
        nn.init.zeros_(self.window_position.weight)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({head.name: AdditiveHead(hidden, head.labels, dropout) for head in heads})

    def forward(self, ids: Tensor, roles: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[cases, labels]` and contributions `[cases, words, labels]`, heads side by side in order.

        `ids`, `roles`, `mask` are `[cases, windows, tokens]`; words are the tokens of all windows in order.
        """
        cases, windows, tokens = ids.shape
        flat = (cases * windows, tokens)
        known = {"token_type_ids": roles.reshape(flat)} if self.tells_roles else {}
        states = self.encoder(input_ids=ids.reshape(flat), attention_mask=mask.reshape(flat), **known).last_hidden_state
        from_end = torch.arange(windows - 1, -1, -1, device=ids.device).clamp(max=_LATEST_WINDOWS - 1)
        states = states.reshape(cases, windows, tokens, -1) + self.window_position(from_end)[None, :, None, :]
        states = self.dropout(states.reshape(cases, windows * tokens, -1))
        words = mask.reshape(cases, windows * tokens)
        contributions = torch.cat([self.heads[head.name](states, words) for head in self.shapes], dim=-1)
        return contributions.sum(1), contributions
