"""The profile says what the model answers on its own cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.cases import LabelledCase
from training.profile import profile
from triage.artefact import open_artefact
from triage.case import Case
from triage.triager import Triager

TEXTS = ("我打了三次电话都没人管，再不解决我就打12315。", "请问话费怎么查？", "说好三天退款，到现在没到账。")
RECORDS = [LabelledCase(Case(text=text), {}) for text in TEXTS]


def test_shares_are_those_of_the_answers(shipped: Triager) -> None:
    found = profile(shipped, RECORDS)
    results = [shipped(text) for text in TEXTS]
    assert found["cases"] == 3
    assert found["unknown_words"] == pytest.approx(sum(result.unknown_words for result in results) / 3)
    for head in shipped.taxonomy.heads:
        shares = found["labels"][head.name]
        for code in map(str, head.codes):
            assert shares.get(code, 0) == pytest.approx(sum(code in one.codes[head.name] for one in results) / 3)


def test_is_kept_in_the_model_folder(tiny_model: Path) -> None:
    assert open_artefact(tiny_model).metrics["profile"]["cases"] > 20
