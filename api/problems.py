"""Errors as RFC 9457 problem details. They name the field and the rule, and never repeat what the client sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.batching import Overloaded
from api.errors import StoreError
from api.logs import get_logger
from triage.case import Case, Turn
from triage.errors import InputError

logger = get_logger(__name__)
CLIENT_GONE = 499
_QUERY = ("tier", "type", "review", "since", "until", "before", "limit")
_FIELDS = {*Case.model_fields, *Turn.model_fields, "cases", "case", "record", "labels", "query", *_QUERY}
_SHOWN = 5
_STORE_RETRY = 5


class ProblemError(Exception):
    """An error with its HTTP status; `code` is stable and machine-readable, `detail` is for people."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None):
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self, request_id: str) -> Response:
        """The answer to send."""
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        return JSONResponse(document, self.status, self.headers, media_type="application/problem+json")


def bad_input(detail: str) -> ProblemError:
    """What the client sent breaks a rule of the contract."""
    return ProblemError(422, InputError.code, detail)


def not_now(code: str, detail: str, retry_after: int) -> ProblemError:
    """The same request can succeed later."""
    return ProblemError(503, code, detail, {"Retry-After": str(retry_after)})


def explain(problems: Sequence[Mapping[str, Any]]) -> str:
    """One sentence for each of the first problems: field and rule. A key that the contract lacks is not repeated."""
    sentences = [
        f"{'.'.join(map(_field, problem['loc'])) or 'case'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in problems[:_SHOWN]
    ]
    more = len(problems) - _SHOWN
    return "; ".join([*sentences, *([f"and {more} more"] if more > 0 else [])])


def _field(part: int | str) -> str:
    return str(part) if isinstance(part, int) or part in _FIELDS else "(unknown field)"


def install(app: FastAPI) -> None:
    """Answer every known kind of exception as a problem; the envelope answers the unknown ones."""

    @app.exception_handler(ProblemError)
    async def problem(request: Request, error: ProblemError) -> Response:
        return error.response(request.state.request_id)

    @app.exception_handler(Overloaded)
    async def overloaded(request: Request, error: Overloaded) -> Response:
        return not_now("over_capacity", str(error), error.retry_after).response(request.state.request_id)

    @app.exception_handler(StoreError)
    async def store(request: Request, error: StoreError) -> Response:
        logger.error("store failed", id=request.state.request_id, reason=str(error))
        problem = not_now(error.code, "the store does not work at present; nothing was kept", _STORE_RETRY)
        return problem.response(request.state.request_id)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        found = ProblemError(status, status.name.lower(), status.description or status.phrase, error.headers)
        return found.response(request.state.request_id)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return bad_input(explain(error.errors())).response(request.state.request_id)

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_GONE)  # seen by the log only
