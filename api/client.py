"""A small client of the service: typed results, and patience where the service asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import httpx2

from triage.case import Case
from triage.errors import TriageError
from triage.result import Evidence, Handling, HeadResult, LabelScore, RowError, TriageResult

_BATCH = 100
_AGAIN = {408, 429, 502, 503, 504}


class ServiceError(TriageError):
    """The service refused a request for good. `status` is that of HTTP (0: it could not be reached), `code` its own."""

    def __init__(self, status: int, code: str, detail: str):
        super().__init__(f"service: {status} {code}: {detail}")
        self.status = status
        self.code = code


class Client:
    """Asks a service at `url` with `key`. `patience` is how many seconds a request may be tried again, in all.

    Nothing is stored twice: with `Idempotency-Key` a request that is tried again counts once.
    """

    def __init__(
        self,
        url: str,
        key: str,
        patience: float = 60.0,
        timeout: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)
        self._patience = patience
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def triage(self, case: Case | str, idempotency_key: str | None = None) -> TriageResult:
        """Triage one contact. Raises InputError for a bare text that cannot be one, else ServiceError."""
        case = Case.from_text(case) if isinstance(case, str) else case
        return read_result(self._post("/v1/triage", _sent(case), idempotency_key))

    def triage_all(self, cases: Sequence[Case]) -> list[TriageResult | RowError]:
        """Triage any number of contacts, in order; one that cannot be triaged has its error in its place."""
        rows: list[Mapping[str, Any]] = []
        for first in range(0, len(cases), _BATCH):
            body = {"cases": [_sent(case) for case in cases[first : first + _BATCH]]}
            rows += self._post("/v1/triage/batch", body)["results"]
        return [_read_row(row) for row in rows]

    def feedback(self, labels: Mapping[str, Any], *, id: str | None = None, record: int | None = None) -> int:
        """Tell what is right for a stored contact, by its `id` or `record`; returns its record."""
        named = {"id": id} if record is None else {"record": record}
        kept: int = self._post("/v1/feedback", {**named, "labels": dict(labels)})["record"]
        return kept

    def _post(self, path: str, body: Mapping[str, Any], idempotency_key: str | None = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        left, pause = self._patience, 0.5
        while True:
            try:
                answer = self._http.post(path, json=body, headers=headers)
                failure = None if answer.is_success else _failure(answer)
                wait = _retry_after(answer, pause)
            except httpx2.TransportError as error:
                failure, wait = ServiceError(0, "unreachable", type(error).__name__), pause
            if failure is None:
                found: dict[str, Any] = answer.json()
                return found
            if failure.status not in (_AGAIN | {0}) or wait > left:
                raise failure
            self._sleep(wait)
            left, pause = left - wait, 2 * pause


def read_result(document: Mapping[str, Any]) -> TriageResult:
    """A result from its JSON."""
    handling = document["handling"]
    known = {"id", "evidence", "turns", "handling", "review", "model"}
    return TriageResult(
        document["id"],
        {name: _read_head(value) for name, value in document.items() if name not in known},
        tuple(Evidence(**{**one, "supports": tuple(one["supports"])}) for one in document["evidence"]),
        tuple(document["turns"]),
        Handling(**{**handling, "actions": tuple(handling["actions"])}),
        tuple(document["review"]["reasons"]),
        document["model"],
    )


def _read_head(value: Any) -> HeadResult | tuple[LabelScore, ...]:
    if isinstance(value, list):
        return tuple(LabelScore(**one) for one in value)
    return HeadResult(**{**value, "reasons": tuple(value["reasons"])})


def _read_row(row: Mapping[str, Any]) -> TriageResult | RowError:
    if error := row.get("error"):
        return RowError(row["id"], error["code"], error["detail"])
    return read_result(row)


def _sent(case: Case) -> dict[str, Any]:
    return case.model_dump(mode="json", exclude_unset=True)


def _failure(answer: httpx2.Response) -> ServiceError:
    try:
        problem = answer.json()
        return ServiceError(answer.status_code, problem["code"], problem["detail"])
    except (ValueError, KeyError, TypeError):
        return ServiceError(answer.status_code, "unknown", "the answer is not one of the service")


def _retry_after(answer: httpx2.Response, otherwise: float) -> float:
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() else otherwise
