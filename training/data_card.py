"""The card of a set of labelled cases, counted from the cases themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from training.cases import LabelledCase
from training.compare_tables import plain
from training.tables import table
from triage.artefact import sha256
from triage.taxonomy import Head, Taxonomy

_QUANTILES = (5, 50, 95, 100)
_TEMPLATE = """# Data card: {count} labelled contacts

Counted by the tool from the files; no text of a case is in this card.

{files}

**Splits.** {splits}. Where the files name no split, whole groups (a customer, a story, near-duplicates) are put on one
side by hash: 70 % train, 15 % dev, 15 % test. Weights are learnt on train; calibration, early stopping and choices are
made on dev; test is for comparing models.

**Channels.** {channels}. **Sources.** {sources}.

**Length.** Characters a case at the {quantiles} percentiles: {lengths}. {turned} cases have turns; {marked} of them say
who speaks.

**Labels**, as the files give them; a head without a label is left out of the loss.

{labels}

**To be added by the owner of the data:** where the contacts come from and on what legal ground they are used, who
labelled them and how well the labellers agree (`triage data agreement`), licence, what is known to be missing.
"""


def data_card(files: Sequence[Path], records: Sequence[LabelledCase], taxonomy: Taxonomy) -> str:
    """The card as Markdown. `records` have their splits."""
    lengths = [sum(len(said.text) for said in record.case.utterances()) for record in records]
    turned = [record.case.turns for record in records if record.case.turns is not None]
    return _TEMPLATE.format(
        count=len(records),
        files=table(["file", "SHA-256"], [[plain(file.name), sha256(file)] for file in files]),
        splits=_counts(record.split for record in records),
        channels=_counts(record.case.channel for record in records),
        sources=_counts(record.source or "not named" for record in records),
        quantiles=", ".join(map(str, _QUANTILES)),
        lengths=", ".join(f"{np.percentile(lengths, one):.0f}" for one in _QUANTILES),
        turned=len(turned),
        marked=sum(any(turn.speaker != "unknown" for turn in turns) for turns in turned),
        labels=table(
            ["head", "cases with a label", "cases by label"], [_row(head, records) for head in taxonomy.heads]
        ),
    )


def _counts(values: Iterable[str]) -> str:
    return ", ".join(f"{plain(name)} {count}" for name, count in Counter(values).most_common())


def _row(head: Head, records: Sequence[LabelledCase]) -> list[str]:
    given = [record.labels[head.name] for record in records if head.name in record.labels]
    counts = Counter(str(code) for value in given for code in (value if head.kind == "multi" else [value]))
    return [head.name, str(len(given)), ", ".join(f"{code} {counts[str(code)]}" for code in head.codes)]
