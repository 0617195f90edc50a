"""What a policy file may say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from triage.case import Channel
from triage.errors import SettingsError
from triage.policy.consistency import contradiction
from triage.settings_file import Settings, load_settings
from triage.taxonomy import Code, Taxonomy

DEFAULT_POLICY = Path(str(resources.files("triage.defaults").joinpath("policy.yaml")))
Probability = Annotated[float, Field(ge=0, le=1)]
Allowance = Literal["keep", "pass_on", "must_report"]


class Tier(Settings):
    """One grade of the organisation: which labels of the tier head fall into it, who owns it, what happens.

    `signals`, if given, narrows the grade to contacts with one of these signals. Grades are tried in the order of the
    file. `present_owner_may`: keep the contact, pass it on, or report it at once. `cost`: what it costs if nobody looks
    at such a contact, in units of an ordinary complaint; it ranks the review queue and decides no label.
    """

    code: Code
    name: str
    labels: tuple[Code, ...] = Field(min_length=1)
    signals: tuple[str, ...] = ()
    owner: str
    present_owner_may: Allowance
    respond_within_minutes: Annotated[int, Field(gt=0)]
    cost: Annotated[float | None, Field(ge=0)] = None
    actions: tuple[str, ...] = ()


class Floor(Settings):
    """The lowest label a head may get when a condition holds.

    All conditions given must hold: one of `signals` was found and none of `without`, the channel is one of `channels`,
    at least `prior_contacts` earlier contacts are known. `needs_score` is the probability that the model itself must
    see at or above the floor; 0 trusts the condition alone. A floor with nothing but `needs_score` rests on the model:
    a label that is too dear to miss is given though another is more probable.
    """

    head: str
    at_least: Code
    signals: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    prior_contacts: Annotated[int | None, Field(ge=1)] = None
    needs_score: Probability = 0.0

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not self.signals and not self.channels and self.prior_contacts is None and not self.needs_score:
            raise ValueError("a floor needs signals, channels, prior_contacts or needs_score")
        return self


class HeadRule(Settings):
    """How a head is decided and when a person should look.

    `weights` multiply the probabilities of labels before the best is taken, in place of those of the artefact;
    `threshold` does the same for a multi-label head. A label with less than `review_below` probability goes to a
    person; so does every label listed in `review_labels`, and an answer below a label of `review_possible` where the
    model sees at least the probability given there at or above that label.
    """

    weights: dict[Code, Annotated[float, Field(gt=0)]] = {}
    threshold: Probability | None = None
    at_most: Annotated[int | None, Field(ge=1)] = None
    review_below: Probability = 0.0
    review_labels: tuple[Code, ...] = ()
    review_possible: dict[Code, Probability] = {}


class Advice(Settings):
    """Next steps that a label given, be it one of several, or a signal calls for, beside those of the tier.

    `prior_no_value` narrows it to customers who had at least so many contacts without value lately. Where `alone` is
    called for, other advice is not given: nobody in danger of life is asked whether the offer suits.
    """

    head: str | None = None
    label: Code | None = None
    signal: str | None = None
    prior_no_value: Annotated[int, Field(ge=0)] = 0
    alone: bool = False
    actions: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_one_trigger(self) -> Self:
        if (self.signal is None) == (self.head is None or self.label is None):
            raise ValueError("advice needs either a signal or a head with a label")
        return self


class Review(Settings):
    """When the answer is handed to a person whatever the label: reasons beside the per-head rules."""

    unknown_words_above: Probability = 1.0
    fewer_words_than: Annotated[int, Field(ge=0)] = 0


class Policy(Settings):
    """A versioned policy. `consistency` lists labels that must go together: where the first head named has one of the
    labels given, the second must have one of its own. A label calls for advice if the model sees at least
    `advice_needs_score` in it, so not if a floor or consistency alone brought it."""

    name: str
    version: str
    tier_head: str
    tiers: tuple[Tier, ...] = Field(min_length=4, max_length=7)
    floors: tuple[Floor, ...] = ()
    consistency: tuple[Annotated[dict[str, tuple[Code, ...]], Field(min_length=2)], ...] = ()
    heads: dict[str, HeadRule] = {}
    advice: tuple[Advice, ...] = ()
    advice_needs_score: Probability = 0.0
    supports: dict[str, tuple[str, ...]] = {}
    review: Review = Review()

    @property
    def id(self) -> str:
        """Name and version, as reported in every answer."""
        return f"{self.name}-{self.version}"

    @cached_property
    def severe(self) -> frozenset[str]:
        """The labels of the tier head that must not be missed: whatever the signals, their grade is to be reported."""
        reported = {str(code) for tier in self.tiers for code in tier.labels if tier.present_owner_may == "must_report"}
        others = {str(code) for tier in self.tiers for code in tier.labels if tier.present_owner_may != "must_report"}
        return frozenset(reported - others)

    def ungraded(self) -> Policy:
        """The same decisions with a grade a label of the tier head, bearing its code."""
        grades = {
            str(code): tier.model_copy(update={"code": code, "labels": (code,)})
            for tier in self.tiers
            if not tier.signals
            for code in tier.labels
        }
        return self.model_copy(update={"tiers": tuple(grades.values())})

    def check(self, taxonomy: Taxonomy, signals: Mapping[str, Any]) -> None:
        """SettingsError if the policy was made for other heads, labels or signals, leaves a tier label out, or if no
        answer fits its rules."""
        if misfit := self._misfit(taxonomy):
            raise SettingsError(
                f"policy {self.id}: {misfit}; give --policy FILE (or TRIAGE_POLICY) made for taxonomy {taxonomy.id}"
            )
        if unknown := sorted(self._signals_named() - set(signals)):
            raise SettingsError(f"policy {self.id}: signals are {sorted(signals)}; given {unknown}")
        if problem := contradiction(self.consistency, taxonomy):
            raise SettingsError(f"policy {self.id}: {problem}")

    def _misfit(self, taxonomy: Taxonomy) -> str:
        """What of the policy is not as in the taxonomy; empty if all is."""
        try:
            for head, code in self._labels_named():
                taxonomy.head(head).index(code)
            for head in [*self.heads, *(name for names in self.supports.values() for name in names)]:
                taxonomy.head(head)
        except KeyError as error:
            return str(error.args[0])
        ruled = {
            self.tier_head,
            *(floor.head for floor in self.floors),
            *(name for rule in self.consistency for name in rule),
        }
        if several := sorted(name for name in ruled if taxonomy.head(name).kind == "multi"):
            return f"tiers, floors and consistency need heads of one label; given {several}"
        open_tiers = {str(code) for tier in self.tiers if not tier.signals for code in tier.labels}
        missing = [code for code in taxonomy.head(self.tier_head).codes if str(code) not in open_tiers]
        return f"tiers must cover every label of {self.tier_head}; missing {missing}" if missing else ""

    def _labels_named(self) -> list[tuple[str, Code]]:
        named = [(self.tier_head, code) for tier in self.tiers for code in tier.labels]
        named += [(floor.head, floor.at_least) for floor in self.floors]
        named += [(head, code) for rule in self.consistency for head, codes in rule.items() for code in codes]
        for head, rule in self.heads.items():
            named += [(head, code) for code in (*rule.weights, *rule.review_labels, *rule.review_possible)]
        named += [(one.head, one.label) for one in self.advice if one.head is not None and one.label is not None]
        return named

    def _signals_named(self) -> set[str]:
        named = {kind for tier in self.tiers for kind in tier.signals} | set(self.supports)
        named |= {kind for floor in self.floors for kind in (*floor.signals, *floor.without)}
        return named | {one.signal for one in self.advice if one.signal is not None}


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read and validate a policy file; SettingsError names the line and what is allowed."""
    return load_settings(path, Policy)
