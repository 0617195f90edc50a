"""Cases in, answers out, as they may leave the house: evidence masked, and no case spoiled by another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from api.logs import get_logger, place
from triage.batch.marked import mask_result
from triage.case import Case
from triage.errors import StageError, TriageError
from triage.result import RowError, TriageResult

if TYPE_CHECKING:  # it imports the readers and writers of files
    from triage.batch.shards import CaseTriager

logger = get_logger(__name__)


def answer_all(triager: CaseTriager, cases: Sequence[Case]) -> list[TriageResult | RowError]:
    """One answer a case, in order. If a call fails as a whole, each case is tried alone: only the bad one fails."""
    try:
        pairs = list(zip(cases, triager.pipe(cases, len(cases)), strict=True))
        return [_presentable(case, one) if isinstance(one, TriageResult) else one for case, one in pairs]
    except Exception as error:
        if len(cases) > 1:
            return [answer for case in cases for answer in answer_all(triager, [case])]
        logger.error("case failed", error=type(error).__name__, place=place(error.__traceback__))
        known = error if isinstance(error, TriageError) else StageError("triage", error)
        return [RowError(cases[0].id, known.code, str(known))]


def _presentable(case: Case, result: TriageResult) -> TriageResult:
    """Masked, and sure to be JSON: a score that is no number must not fail the others of its batch."""
    masked = mask_result(case, result)
    json.dumps(masked.to_dict(), allow_nan=False)
    return masked
