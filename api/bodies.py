"""The body of a request: read under its limits, then checked against the contract."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json, to_json

from api.problems import ProblemError, bad_input, explain
from api.settings import ServiceSettings
from triage.case import Case
from triage.errors import InputError
from triage.result import RowError

MAX_CASES = 100
_MAX_ID = 200
_MAX_FIELDS = 200
Model = TypeVar("Model", bound=BaseModel)


class _Batch(BaseModel):
    cases: Annotated[list[Any], Field(max_length=MAX_CASES)]


async def read_json(request: Request, settings: ServiceSettings) -> Any:
    """The JSON of the body. It is counted as it arrives, so that no form of transfer gets around the limit."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise bad_input("the Content-Type must be application/json")
    body = await _read_in_time(request, settings)
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise bad_input(f"the body is not JSON in UTF-8: {error}") from None


async def read_form(request: Request, settings: ServiceSettings) -> dict[str, list[str]]:
    """The fields of a form of a page that were filled in."""
    body = await _read_in_time(request, settings)
    try:
        return parse_qs(body.decode("utf-8"), errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise bad_input("the body is no form in UTF-8") from None


def read_case(value: Any) -> Case:
    """A body that is one case."""
    return read_model(Case, value)


def read_model(model: type[Model], value: Any) -> Model:
    """A body of that form. Types are those of JSON: a number in quotes is no number."""
    try:
        return model.model_validate_json(to_json(_whole(value)), strict=True)
    except ValidationError as error:
        raise bad_input(explain(error.errors())) from None


def _whole(value: Any) -> Any:
    """The same with 3 for 3.0, which in JSON is a whole number too."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_batch(value: Any) -> list[Case | RowError]:
    """A body that is a list of cases; a bad one leaves its error in its place."""
    return [_read_item(item) for item in read_model(_Batch, value).cases]


def _read_item(value: Any) -> Case | RowError:
    try:
        return read_case(value)
    except ProblemError as error:
        given = value.get("id") if isinstance(value, dict) else None
        known = isinstance(given, str) and len(given) <= _MAX_ID
        return RowError(str(given) if known else "", InputError.code, error.detail)


async def _read_in_time(request: Request, settings: ServiceSettings) -> bytes:
    try:
        async with asyncio.timeout(settings.deadline_seconds):
            return await _read(request, settings.max_body_bytes)
    except TimeoutError:
        raise ProblemError(408, "too_slow", "the body did not arrive in time", {"Connection": "close"}) from None


async def _read(request: Request, limit: int) -> bytes:
    too_large = ProblemError(413, "too_large", f"at most {limit} bytes are allowed", {"Connection": "close"})
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)
