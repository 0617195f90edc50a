"""Stage one: word vectors, then masked words, on unlabelled text. Resumable; writes a RoFormer folder."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import RoFormerConfig, RoFormerModel

from training.cases import LabelledCase
from training.passages import read_passages, words_of
from training.processes import processes
from training.recipe import PretrainStage, Recipe, Shape
from training.vocabulary import SPECIAL_TOKENS, build_tokenizer
from triage.encode import ROLES
from triage.segment import Segmenter

log = logging.getLogger(__name__)
_CHECKPOINT_SECONDS = 300
_LOG_STEPS = 50


def prepare_text(
    recipe: Recipe, data: Path, cases: Sequence[LabelledCase], out: Path, permissive_only: bool = False
) -> None:
    """Segment all passages, build the tokenizer, and write `tokenizer.json` and `words.npy` (uint16 ids) to `out`.

    Passages come from the recipe's sources below `data` and from `cases`, which must all be for training; they stand
    one after the other, each closed by `[SEP]`.
    """
    segmenter = Segmenter(recipe.segmenter)
    sources = recipe.of_kind("passages", permissive_only=permissive_only)
    said = (" ".join(one.text for one in record.case.utterances()) for record in cases)
    passages = [words_of(text, segmenter) for text in itertools.chain(read_passages(data, sources), said)]
    log.info("read %d passages", len(passages))
    np.random.default_rng(0).shuffle(passages)
    tokenizer = build_tokenizer(passages, segmenter.words, recipe.vocabulary)
    tokenizer.save(str(out / "tokenizer.json"))
    separator = tokenizer.token_to_id("[SEP]")
    pieces = []
    for first in range(0, len(passages), 10_000):
        encoded = tokenizer.encode_batch(
            passages[first : first + 10_000], is_pretokenized=True, add_special_tokens=False
        )
        pieces += [np.array([*one.ids, separator], dtype=np.uint16) for one in encoded]
    np.save(out / "words.npy", np.concatenate(pieces))


def word_vectors(ids: np.ndarray, vocabulary: int, dimensions: int, epochs: int) -> np.ndarray:
    """CBOW vectors (gensim) of all ids, scaled to the usual initial spread; rows without a vector stay random."""
    table = np.random.default_rng(0).normal(0, 0.02, (vocabulary, dimensions)).astype(np.float32)
    if not epochs:
        return table
    from gensim.models import Word2Vec

    sentences = [list(map(str, block)) for block in np.array_split(ids, max(1, len(ids) // 200))]
    model = Word2Vec(
        sentences,
        vector_size=dimensions,
        window=6,
        negative=5,
        sg=0,
        min_count=5,
        epochs=epochs,
        workers=2,
        seed=0,
        sample=1e-4,
    )
    vectors = model.wv.vectors / model.wv.vectors.std() * 0.04
    for row, token in enumerate(model.wv.index_to_key):
        table[int(token)] = vectors[row]
    return table


def roformer_config(shape: Shape, vocabulary: int, dropout: float) -> RoFormerConfig:
    """Configuration of the encoder: three speaker roles as token types, windows up to 512 words."""
    return RoFormerConfig(
        vocab_size=vocabulary,
        embedding_size=shape.hidden,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        max_position_embeddings=512,
        type_vocab_size=3,
        pad_token_id=0,
    )


class MaskedWords(nn.Module):
    """The encoder with a tied output layer; the loss is taken at the hidden positions only."""

    def __init__(self, encoder: RoFormerModel):
        super().__init__()
        self.encoder = encoder
        hidden = encoder.config.hidden_size
        self.transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))

    def forward(self, ids: Tensor, hidden: Tensor, places: Tensor) -> Tensor:
        """`ids` and `hidden` are `[blocks, words]`, true and as shown; `places` `[blocks, chosen]` are to be told."""
        roles = torch.full_like(hidden, ROLES["unknown"])
        states = self.encoder(input_ids=hidden, token_type_ids=roles).last_hidden_state
        states = states.gather(1, places.unsqueeze(-1).expand(-1, -1, states.shape[-1]))
        logits = self.transform(states) @ self.encoder.embeddings.word_embeddings.weight.T + self.bias
        return nn.functional.cross_entropy(logits.float().flatten(0, 1), ids.gather(1, places).flatten())


def blocks(ids: np.ndarray, stage: PretrainStage, start: int, seed: int) -> Iterator[Tensor]:
    """Endless batches `[batch_blocks, block_words]` of consecutive words, blocks shuffled anew in each round."""
    rows = len(ids) // stage.block_words
    table = ids[: rows * stage.block_words].reshape(rows, stage.block_words)
    per_round = max(1, rows // stage.batch_blocks)
    step = start
    while True:
        order = np.random.default_rng([seed, step // per_round]).permutation(rows)
        for batch in range(step % per_round, per_round):
            chosen = order[batch * stage.batch_blocks : (batch + 1) * stage.batch_blocks]
            yield torch.from_numpy(table[chosen].astype(np.int64))
            step += 1


def hide(ids: Tensor, share: float, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Choose the same number of words in every block: 80 % become `[MASK]`, 10 % a random word, 10 % stay.

    `ids` are `[blocks, words]`. Returns the blocks as shown and the places chosen, `[blocks, chosen]`.
    """
    first = len(SPECIAL_TOKENS)
    chance = torch.rand(ids.shape, device=ids.device).masked_fill(ids < first, -1.0)
    places = chance.topk(max(1, round(share * ids.shape[1])), dim=1).indices
    dice = torch.rand(places.shape, device=ids.device)
    shown = ids.gather(1, places)
    shown = torch.where(dice < 0.8, SPECIAL_TOKENS.index("[MASK]"), shown)
    shown = torch.where(dice >= 0.9, torch.randint_like(shown, first, vocabulary), shown)
    return ids.scatter(1, places, shown), places


def pretrain(recipe: Recipe, out: Path) -> None:
    """Pre-train on `out/words.npy` and write the encoder to `out/encoder`; continues `out/state.pt` if it is there."""
    stage = recipe.pretrain
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    ids = np.load(out / "words.npy", mmap_mode="r")
    log.info("%d words, vocabulary %d", len(ids), vocabulary)
    device = processes().device
    torch.manual_seed(0)
    model = MaskedWords(RoFormerModel(roformer_config(recipe.shape, vocabulary, stage.dropout))).to(device)
    loss_of = torch.compile(model) if device.type == "cuda" else model
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=stage.learning_rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )
    step, spent, state_file = 0, 0.0, out / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent"]
    else:
        table = word_vectors(np.asarray(ids[:20_000_000]), vocabulary, recipe.shape.hidden, stage.vector_epochs)
        model.encoder.embeddings.word_embeddings.weight.data.copy_(torch.from_numpy(table))
    total = stage.epochs * len(ids) / (stage.batch_blocks * stage.block_words)
    started, saved, recent = time.monotonic() - spent, time.monotonic(), torch.zeros((), device=device)
    model.train()
    for batch in blocks(ids, stage, step, seed=0):
        spent = time.monotonic() - started
        progress = max(spent / (stage.minutes * 60), step / total) if stage.minutes else step / total
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            warm = (step + 1) / stage.warm_up_steps
            group["lr"] = stage.learning_rate * min(1.0, warm, (1 - progress) / 0.6 + 0.02)
        words = batch.to(device)
        hidden, places = hide(words, stage.masked_share, vocabulary)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss = loss_of(words, hidden, places)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        recent += loss.detach()
        if step % _LOG_STEPS == 0:
            rate = step * batch.numel() / (time.monotonic() - started)
            log.info("step %d, %.1f %%, loss %.3f, %.0f words/s", step, 100 * progress, recent / _LOG_STEPS, rate)
            recent.zero_()
        if time.monotonic() - saved > _CHECKPOINT_SECONDS:
            torch.save(
                {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "spent": spent},
                state_file,
            )
            saved = time.monotonic()
    model.encoder.save_pretrained(out / "encoder")
