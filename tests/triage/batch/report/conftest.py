"""Contacts with every kind of metadata, seen by a survey; and a report written of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from triage.batch.marked import mask_result
from triage.batch.report.options import ReportOptions
from triage.batch.report.survey import Survey
from triage.batch.report.write import write_reports
from triage.batch.tally import Counts, Outcome, Tally
from triage.case import Case
from triage.result import RowError

Seen = tuple[Tally, Survey]
FIRST_DAY = datetime(2025, 6, 2, 9)


@pytest.fixture
def see(fake_triager: Any) -> Callable[..., Seen]:
    def seen(*cases: Case, capacity: int = 50, triager: Any = fake_triager) -> Seen:
        survey = Survey(triager.taxonomy, triager.policy.tier_head, triager.info.get("costs", {}), capacity)
        tally = Tally(triager.taxonomy, survey)
        for case in cases:
            tally.add(Outcome(case, mask_result(case, triager(case))))
        return tally, survey

    return seen


@pytest.fixture
def write(tmp_path: Path, fake_triager: Any) -> Callable[..., Path]:
    def written(seen: Seen, name: str = "r.html", before: Counts | None = None, **asked: Any) -> Path:
        path = tmp_path / name
        options = ReportOptions((path,), **asked)
        write_reports({path: path}, *seen, before, fake_triager.info, ["in.jsonl"], options)
        return path

    return written


@pytest.fixture
def quarter() -> list[Case]:
    """Twelve weeks of contacts. In the last four the product 门锁 fails, and the word 电池鼓包 comes up."""
    cases = []
    for number in range(480):
        late = number >= 320 and number % 2 == 0
        text = "门锁电池鼓包没人管,太差" if late else "想问一下套餐怎么办理" if number % 3 else "快递太差,打12315"
        cases.append(
            Case(
                id=f"Q-{number}",
                turns=({"speaker": "customer", "text": text}, {"speaker": "agent", "text": "那我也没办法"})  # type: ignore[arg-type]
                if number % 40 == 0
                else ({"speaker": "customer", "text": text},),  # type: ignore[arg-type]
                channel="call",
                product="门锁" if late else "套餐",
                region=("华东", "华南", "华北")[number % 3],
                agent_id=f"A-{number % 7}",
                customer_type="老客户" if number % 5 else "新客户",
                created_at=FIRST_DAY + timedelta(hours=number * 4.2),
            )
        )
    return cases


@pytest.fixture
def hostile() -> Case:
    """What may not run, load, or be reckoned, in every field."""
    words = (
        '<script>alert(1)</script>=HYPERLINK("http://x.example","x"){{7*7}}<img src=x onerror=alert(2)>没人管\x1b[3m'
    )
    return Case(
        id='"><script>alert(3)</script>',
        text=words,
        product=f"=1+1{words}",
        region=words,
        agent_id=words[:90],
        channel="call",
    )


@pytest.fixture
def failure() -> Outcome:
    return Outcome(None, RowError("<b>", "bad_input", "=cmd|' /C calc'!A0<i>"))
