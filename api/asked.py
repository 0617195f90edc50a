"""What may be asked of the store, known also to a service without one, which imports no database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.scopes import Caller
from triage.case import Case
from triage.result import RowError

Rows = Sequence[Case | RowError]
Document = dict[str, Any]
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
Labels = Annotated[list[Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]], Field(max_length=20)]


def _iso(given: object) -> object:
    """Seconds since 1970 are no ISO 8601, and not what somebody meant who left out the dashes."""
    if isinstance(given, str) and not _DATE.match(given):
        raise ValueError("a time in ISO 8601 is needed")
    return given


Moment = Annotated[datetime, BeforeValidator(_iso)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as it decides which answer is due: who asks, where, under which idempotency key, for what."""

    caller: Caller
    route: str
    key: str | None
    body: str


class Wanted(BaseModel):
    """Which contacts to list. `since` is included, `until` not; `before` is a record, for the next page."""

    model_config = ConfigDict(extra="forbid")

    tier: Labels = []
    type: Labels = []
    review: bool | None = None
    since: Moment | None = None
    until: Moment | None = None
    before: Annotated[int | None, Field(ge=1, lt=2**63)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
