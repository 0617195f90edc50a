"""Where training starts: a model of this project, or any Hugging Face encoder with its own fast tokenizer."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub.utils import logging as hub_log
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_log

from training.model import LAST_LAYER, TriageModel
from triage.artefact import Artefact, open_artefact
from triage.encode import ROLES
from triage.errors import InputError
from triage.in_use import digest_of, model_folder
from triage.taxonomy import Taxonomy

_WINDOW, _MARGIN = 256, 2


@dataclass(frozen=True, slots=True)
class Start:
    """An encoder and its tokenizer. `model` is the model folder they are from, None for an encoder from elsewhere.

    `window` is the longest window in tokens, `roles` how many speaker roles the encoder tells apart.
    """

    name: str
    encoder: PreTrainedModel
    tokenizer: Tokenizer
    window: int
    roles: int
    model: Artefact | None = None

    def fresh_encoder(self, dropout: float) -> PreTrainedModel:
        """A copy of the encoder with this dropout."""
        config = copy.deepcopy(self.encoder.config)
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if hasattr(config, name):
                setattr(config, name, dropout)
        encoder = type(self.encoder)(config)
        encoder.load_state_dict(self.encoder.state_dict())
        return encoder


def open_start(name: str) -> Start:
    """A model folder, a folder of models (the one in use), an encoder folder, or a name on the Hugging Face hub.

    InputError if it is none of these, or has no fast tokenizer.
    """
    # transformers reports the heads of a model folder as unexpected
    transformers_log.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_log.disable_progress_bar()  # type: ignore[no-untyped-call]
    hub_log.set_verbosity_error()  # type: ignore[no-untyped-call]  # every try to reach the hub is a warning
    folder = model_folder(Path(name))
    if digest_of(folder):
        artefact = open_artefact(folder)
        tokenizer = Tokenizer.from_file(str(artefact.path("tokenizer.json")))
        manifest = artefact.manifest
        return Start(
            name,
            AutoModel.from_pretrained(folder, dtype=torch.float32),
            tokenizer,
            manifest.window,
            manifest.roles,
            artefact,
        )
    try:
        encoder = AutoModel.from_pretrained(name, dtype=torch.float32)
        words = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        given = name if Path(name).is_dir() else f"{name}, which is no folder here"
        raise InputError(
            f"base model: a model folder, an encoder folder or a hub name; given {given}: {reason}"
        ) from None
    if not isinstance(words, PreTrainedTokenizerFast):
        raise InputError(f"base model: an encoder with a fast tokenizer (tokenizer.json) is needed; given {name}")
    longest = getattr(encoder.config, "max_position_embeddings", _WINDOW)
    tokenizer = Tokenizer.from_str(words.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Start(name, encoder, tokenizer, min(_WINDOW, longest - _MARGIN), tell_roles_apart(encoder))


def tell_roles_apart(encoder: PreTrainedModel) -> int:
    """Widen the encoder's segment table to one row a speaker role; new rows start as the first. Returns the roles.

    1 for an encoder without segments: it cannot tell speakers apart.
    """
    embeddings = getattr(encoder, "embeddings", None)
    table = getattr(embeddings, "token_type_embeddings", None)
    if embeddings is None or not isinstance(table, nn.Embedding):
        return 1
    if table.num_embeddings < len(ROLES):
        wider = nn.Embedding(len(ROLES), table.embedding_dim)
        with torch.no_grad():
            wider.weight.copy_(table.weight[:1].expand(len(ROLES), -1))
            wider.weight[: table.num_embeddings] = table.weight
        embeddings.token_type_embeddings = wider
        encoder.config.type_vocab_size = len(ROLES)
    return len(ROLES)


def warm_heads(network: TriageModel, model: Artefact, taxonomy: Taxonomy) -> None:
    """Start the heads that the model has too from its weights; labels it does not know keep their random start."""
    old = load_file(model.path("model.safetensors"))
    known = {head.name: head for head in model.taxonomy.heads}
    new = network.state_dict()
    for head in taxonomy.heads:
        if head.name not in known or known[head.name].kind != head.kind:
            continue
        before = list(map(str, known[head.name].codes))
        rows = [(place, before.index(str(code))) for place, code in enumerate(head.codes) if str(code) in before]
        last = f"heads.{head.name}.{LAST_LAYER}."
        for name in (name for name in new if name.startswith(f"heads.{head.name}.")):
            if name.startswith(last):
                for place, previous in rows:
                    new[name][place] = old[name][previous]
            else:
                new[name].copy_(old[name])
    new["window_position.weight"].copy_(old["window_position.weight"])
