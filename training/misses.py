"""The cases of a severe tier that a model calls mild, one by one; masked, since people pass reports on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.cases import LabelledCase
from training.evaluate import Answers
from training.similarity import customer_words
from triage.batch.marked import printable
from triage.policy import Policy
from triage.privacy import mask_text
from triage.taxonomy import Code

_SHOWN = 240


@dataclass(frozen=True, slots=True)
class Miss:
    """A severe case that one of two models missed, or both: the tier wanted, those given, the masked words."""

    id: str
    channel: str
    wanted: Code
    a: Code
    b: Code
    text: str


def severe_misses(policy: Policy, records: Sequence[LabelledCase], a: Answers, b: Answers) -> list[Miss]:
    """All cases severe by the policy that a or b missed, those that b alone misses first."""
    tiers, found = policy.tier_head, []
    for record, given_a, given_b in zip(records, a.labels[tiers], b.labels[tiers], strict=True):
        wanted = record.labels.get(tiers)
        if wanted is None or str(wanted) not in policy.severe:
            continue
        missed_a, missed_b = (str(given) not in policy.severe for given in (given_a, given_b))
        if missed_a or missed_b:
            miss = Miss(record.case.id, record.case.channel, wanted, given_a, given_b, _shown(record))
            found.append(((not missed_b, missed_a), miss))
    return [miss for _, miss in sorted(found, key=lambda item: item[0])]


def _shown(record: LabelledCase) -> str:
    words = " ".join(printable(mask_text(customer_words(record))).split())
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
