"""Fine-tune the network on labelled cases: any heads, missing labels masked, length-grouped batches."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.checkpoint import Checkpoint
from training.model import TriageModel
from training.noise import Noise, disturb
from training.processes import processes, shared
from training.recipe import FinetuneStage
from triage.encode import Encoded, collate, group

log = logging.getLogger(__name__)
_PREDICTED_WORDS = 16_384
Targets = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """One encoded case and its targets: a probability for each label of all heads side by side, NaN where unknown.

    `variants` are the same case in other words, of which training takes one now and then in its stead.
    """

    encoded: Encoded
    targets: Targets
    weight: float = 1.0
    variants: tuple[Encoded, ...] = ()


class Watcher(Protocol):
    """Looks on after every epoch and may stop training; its state is kept in checkpoints."""

    def __call__(self, epoch: int) -> bool: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def class_weights(examples: Sequence[Example], columns: slice, balance: float) -> Tensor:
    """Weights `(mean count / count) ** balance` for the labels of one exclusive head, at most 5."""
    targets = np.stack([example.targets[columns] for example in examples])
    counts = np.nansum(targets, axis=0).clip(1)
    return torch.tensor(((counts.mean() / counts) ** balance).clip(0.2, 5), dtype=torch.float32)


class MultiHeadLoss(nn.Module):
    """Cross-entropy for exclusive heads, binary for the others, unknown targets left out; heads add up."""

    class_weight: Tensor

    def __init__(self, model: TriageModel, examples: Sequence[Example], balance: float, smoothing: float):
        super().__init__()
        self.smoothing = smoothing
        self.parts: list[tuple[slice, bool]] = []
        weights, first = [], 0
        for head in model.shapes:
            columns = slice(first, first + head.labels)
            weights.append(class_weights(examples, columns, balance) if head.exclusive else torch.ones(head.labels))
            self.parts.append((columns, head.exclusive))
            first += head.labels
        self.register_buffer("class_weight", torch.cat(weights))

    def forward(self, logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        """The weighted sum over cases; `logits` and `targets` are `[cases, labels]`, `weight` `[cases]`."""
        total = logits.new_zeros(())
        known = ~targets.isnan()
        targets = targets.nan_to_num()
        for columns, exclusive in self.parts:
            scores, wanted = logits[:, columns], targets[:, columns]
            row_weight = weight * known[:, columns].all(1)
            if exclusive:
                smooth = wanted * (1 - self.smoothing) + self.smoothing / wanted.shape[1]
                row_weight = row_weight * (wanted * self.class_weight[columns]).sum(1)
                losses = -(smooth * scores.log_softmax(1)).sum(1)
            else:
                losses = nn.functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none").sum(1)
            total = total + (losses * row_weight).sum()
        return total


def words_of(examples: Sequence[Example]) -> int:
    """Tokens of all examples together."""
    return sum(len(window) for example in examples for window in example.encoded.ids)


def tensors(encoded: Sequence[Encoded], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, roles and mask of a batch as tensors on `device`."""
    batch = collate(encoded)
    ids, roles, mask = (torch.from_numpy(part).to(device) for part in (batch.ids, batch.roles, batch.mask))
    return ids, roles, mask


def variant(example: Example, stage: FinetuneStage, rng: np.random.Generator) -> Encoded:
    """The case itself, or with the chance `stage.variant_share` one of its variants."""
    if example.variants and rng.random() < stage.variant_share:
        return example.variants[rng.integers(len(example.variants))]
    return example.encoded


def batches(examples: Sequence[Example], words: int, rng: np.random.Generator) -> Iterator[list[Example]]:
    """All examples once, in shuffled batches of near-equal length; the grouping itself differs from epoch to epoch."""
    order = rng.permutation(len(examples))
    groups: list[list[Example]] = []
    pool = 2_000
    for first in range(0, len(order), pool):
        part = [examples[index] for index in order[first : first + pool]]
        groups += [[part[i] for i in chosen] for chosen in group([one.encoded for one in part], words)]
    for chosen in rng.permutation(len(groups)):
        yield groups[chosen]


def share(batch: Sequence[Example], process: int, processes: int) -> list[Example]:
    """The part of a batch that one of several processes computes.

    Weights are such that the mean of the processes' losses is the weighted mean over the batch.
    """
    part = batch[process::processes] or [replace(batch[0], weight=0.0)]
    factor = processes / sum(example.weight for example in batch)
    return [replace(example, weight=example.weight * factor) for example in part]


def train(
    model: TriageModel,
    examples: Sequence[Example],
    stage: FinetuneStage,
    noise: Noise,
    seed: int,
    watcher: Watcher | None = None,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Train in place: AdamW, the encoder's lower layers at a lower rate, linear warm-up and decay.

    The model is left on the device it was trained on. After every epoch the state goes to `checkpoint`, if given, and
    training goes on from what is there; `watcher` may stop it. Of several processes all draw the same batches and each
    computes its share of every one; the main process alone watches and keeps.
    """
    here = processes()
    torch.manual_seed(seed + here.process_index)
    rng = np.random.default_rng(seed)
    device = here.device
    network = here.prepare_model(model)
    loss_of = MultiHeadLoss(model, examples, stage.class_balance, stage.label_smoothing).to(device)
    optimiser = torch.optim.AdamW(parameter_groups(model, stage), weight_decay=0.01, fused=True)
    rates = [group["lr"] for group in optimiser.param_groups]
    steps = stage.epochs * sum(1 for _ in batches(examples, stage.batch_words, np.random.default_rng(seed)))
    first, step = resume(checkpoint, model, optimiser, rng, watcher) if checkpoint else (0, 0)
    for epoch in range(first, stage.epochs):
        model.train()
        started, losses = time.monotonic(), []
        for batch in batches(examples, stage.batch_words, rng):
            factor = min((step + 1) / (0.1 * steps), max(0.02, (steps - step) / (0.9 * steps)))
            for parameters, rate in zip(optimiser.param_groups, rates, strict=True):
                parameters["lr"] = rate * min(1.0, factor)
            drawn = [replace(one, encoded=disturb(variant(one, stage, rng), noise, rng)) for one in batch]
            part = share(drawn, here.process_index, here.num_processes)
            ids, roles, mask = tensors([example.encoded for example in part], device)
            with torch.autocast(device.type, dtype=torch.bfloat16):
                logits, _ = network(ids, roles, mask)
            targets = torch.from_numpy(np.stack([example.targets for example in part])).to(device)
            weight = torch.tensor([example.weight for example in part], device=device)
            loss = loss_of(logits.float(), targets, weight)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.detach())
            step += 1
        loss, seconds = here.reduce(torch.stack(losses).mean(), "mean"), time.monotonic() - started
        log.info("seed %d epoch %d: loss %.4f in %.0f s", seed, epoch, loss, seconds)
        stop = False
        if watcher is not None and (epoch + 1) % stage.watch_every == 0:
            stop = shared(here.is_main_process and watcher(epoch))
        if checkpoint and here.is_main_process:
            keep(checkpoint, model, optimiser, rng, watcher, (stage.epochs if stop else epoch + 1, step))
        if stop:
            break
    here.free_memory()


def keep(
    checkpoint: Checkpoint,
    model: TriageModel,
    optimiser: torch.optim.Optimizer,
    rng: np.random.Generator,
    watcher: Watcher | None,
    progress: tuple[int, int],
) -> None:
    """Write everything that training needs to go on as if it had not been interrupted."""
    checkpoint.save(
        model=model.state_dict(),
        optimiser=optimiser.state_dict(),
        rng=json.dumps(rng.bit_generator.state),
        torch_rng=torch.get_rng_state(),
        watcher=watcher.state_dict() if watcher else {},
        progress=progress,
    )


def resume(
    checkpoint: Checkpoint,
    model: TriageModel,
    optimiser: torch.optim.Optimizer,
    rng: np.random.Generator,
    watcher: Watcher | None,
) -> tuple[int, int]:
    """Restore what `keep` wrote, if anything; the epoch and the step to go on with."""
    state = checkpoint.load()
    if state is None:
        return 0, 0
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    rng.bit_generator.state = json.loads(state["rng"])
    torch.set_rng_state(state["torch_rng"])
    if watcher:
        watcher.load_state_dict(state["watcher"])
    epoch, step = state["progress"]
    return epoch, step


def parameter_groups(model: TriageModel, stage: FinetuneStage) -> list[dict[str, object]]:
    """Heads at three times the rate of the encoder, whose layers learn slower the lower they lie."""
    groups: list[dict[str, object]] = []
    encoder = {id(parameter) for parameter in model.encoder.parameters()}
    fresh = [parameter for parameter in model.parameters() if id(parameter) not in encoder]
    groups.append({"params": fresh, "lr": stage.learning_rate * 3})
    layers = layers_of(model.encoder)
    claimed: set[int] = set()
    for depth, layer in enumerate(reversed(layers)):
        parameters = list(layer.parameters())
        claimed |= {id(parameter) for parameter in parameters}
        groups.append({"params": parameters, "lr": stage.learning_rate * stage.layer_decay**depth})
    rest = [parameter for parameter in model.encoder.parameters() if id(parameter) not in claimed]
    groups.append({"params": rest, "lr": stage.learning_rate * stage.layer_decay ** len(layers)})
    return groups


def layers_of(encoder: nn.Module) -> list[nn.Module]:
    """The layers of an encoder of any architecture, lowest first: its longest list of modules."""
    lists = [list(module) for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=[])


@torch.no_grad()
def predict(model: TriageModel, encoded: Sequence[Encoded], exact: bool = True) -> NDArray[np.float32]:
    """Logits `[cases, labels]` in the order given; not `exact`: in the precision of training, in half the time."""
    model.eval()
    logits = np.zeros((len(encoded), sum(head.labels for head in model.shapes)), dtype=np.float32)
    device = next(model.parameters()).device
    for chosen in group(encoded, _PREDICTED_WORDS):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=not exact):
            outputs, _ = model(*tensors([encoded[index] for index in chosen], device))
        logits[chosen] = outputs.float().cpu().numpy()
    return logits
