"""A recipe is one settings file: which sources, which stages, which sizes. Unknown keys are refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from triage.settings_file import Settings, load_settings

_SMALLEST_BATCH = 1_024


class Source(Settings):
    """One body of text: where it lies below the data folder, under which licence, how much of it is taken.

    `max_chars` caps what is read (0: all) of all but cases; `repeat` reads passages that many times.
    """

    path: str
    kind: Literal["passages", "cases", "votes", "polarity", "stars", "emotion", "abuse", "sarcasm"]
    licence: str
    permissive: bool
    max_chars: Annotated[int, Field(ge=0)] = 0
    repeat: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _says_what_is_done(self) -> Self:
        if self.repeat > 1 and self.kind != "passages":
            raise ValueError(f"repeat is for passages; given for {self.kind}")
        if self.max_chars and self.kind == "cases":
            raise ValueError("max_chars is for all kinds but cases, which are read whole")
        return self


class Shape(Settings):
    """Size of the encoder."""

    layers: Annotated[int, Field(ge=1)] = 4
    hidden: Annotated[int, Field(ge=16)] = 256
    heads: Annotated[int, Field(ge=1)] = 4
    feed_forward: Annotated[int, Field(ge=16)] = 1024
    window_words: Annotated[int, Field(ge=16, le=512)] = 256


class VocabularyStage(Settings):
    """Words kept: the most frequent ones, every frequent character, and the domain dictionary."""

    size: Annotated[int, Field(ge=100)] = 24_000
    min_char_count: Annotated[int, Field(ge=1)] = 20


class PretrainStage(Settings):
    """Word vectors, then masked words, for a budget of minutes or until the text has been read `epochs` times."""

    vector_epochs: Annotated[int, Field(ge=0)] = 2
    minutes: Annotated[float, Field(ge=0)] = 60
    epochs: Annotated[float, Field(gt=0)] = 3
    block_words: Annotated[int, Field(ge=16)] = 128
    batch_blocks: Annotated[int, Field(ge=1)] = 64
    masked_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    warm_up_steps: Annotated[int, Field(ge=1)] = 300
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class IntermediateStage(Settings):
    """Auxiliary labels, all tasks mixed, before the labelled cases."""

    epochs: Annotated[int, Field(ge=0)] = 1
    batch_words: Annotated[int, Field(ge=256)] = 4_096
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4


class FinetuneStage(Settings):
    """Labelled cases with missing labels masked; `readings_weight` is that of a case which one reader labelled once.

    Every `watch_every` epochs dev is looked at; training stops after `patience` looks without a gain (0: never). Where
    few cases would make fewer steps than `least_steps`, batches become smaller and epochs more (`over`).
    """

    epochs: Annotated[int, Field(ge=1)] = 8
    watch_every: Annotated[int, Field(ge=1)] = 1
    least_steps: Annotated[int, Field(ge=0)] = 0
    patience: Annotated[int, Field(ge=0)] = 0
    batch_words: Annotated[int, Field(ge=256)] = 4_096
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 0.8
    encoder_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    word_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    rough_share: Annotated[float, Field(ge=0, le=1)] = 0.15
    variants: Annotated[int, Field(ge=0)] = 2
    variant_share: Annotated[float, Field(ge=0, le=1)] = 0.3
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    readings_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    class_balance: Annotated[float, Field(ge=0, le=1)] = 0.5
    seed: int = 1

    def over(self, words: int) -> Self:
        """The same settings for training text of so many words, with at least `least_steps` steps and no more looks."""
        if not self.least_steps:
            return self
        share = words * self.epochs // self.least_steps
        batch = min(self.batch_words, max(_SMALLEST_BATCH, share))
        times = math.ceil(self.least_steps / math.ceil(words / batch) / self.epochs)
        more = {"epochs": self.epochs * times, "watch_every": self.watch_every * times}
        return self.model_copy(update={"batch_words": batch, **more})


class DistilStage(Settings):
    """Networks fine-tuned alike but for their seeds teach the shipped one; no `teachers`, no such stage.

    `share` of every target is the teachers' mean answer. `pool` unlabelled passages and beginnings of training
    conversations are taught for `pool_epochs` first, each with `pool_weight` of a labelled case.
    """

    teachers: tuple[int, ...] = ()
    share: Annotated[float, Field(ge=0, le=1)] = 0.4
    pool: Annotated[int, Field(ge=0)] = 12_000
    pool_epochs: Annotated[int, Field(ge=1)] = 2
    pool_weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    epochs: Annotated[int, Field(ge=1)] = 3
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4


class WideStage(Settings):
    """The linear part beside the network: how many word and character features are kept, the most frequent ones."""

    words: Annotated[int, Field(ge=1)] = 30_000
    characters: Annotated[int, Field(ge=1)] = 50_000


class Recipe(Settings):
    """Everything that decides what comes out of training, beside the text itself.

    `about_data` and `about_limits` are sentences for the model card.
    """

    name: str
    version: str = "1"
    about_data: str = ""
    about_limits: str = ""
    segmenter: Literal["rjieba", "jieba"] = "rjieba"
    shape: Shape = Shape()
    vocabulary: VocabularyStage = VocabularyStage()
    pretrain: PretrainStage = PretrainStage()
    intermediate: IntermediateStage = IntermediateStage()
    finetune: FinetuneStage = FinetuneStage()
    distil: DistilStage = DistilStage()
    wide: WideStage = WideStage()
    sources: tuple[Source, ...] = ()

    def of_kind(self, *kinds: str, permissive_only: bool = False) -> list[Source]:
        """The sources of these kinds, without the research-only ones if asked."""
        return [s for s in self.sources if s.kind in kinds and (s.permissive or not permissive_only)]


def load_recipe(path: Path) -> Recipe:
    """Read and validate a recipe file; SettingsError names the file, the key and what is allowed."""
    return load_settings(path, Recipe)
