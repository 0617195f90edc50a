"""The HTTP contract."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.auth import require, require_key
from api.batching import Answer
from api.bodies import read_batch, read_case, read_json
from api.openapi import IDEMPOTENCY_KEY, answers, body
from api.problems import ProblemError, bad_input, not_now
from api.service import Service
from triage.errors import InputError
from triage.result import RowError, TriageResult


async def service_of(request: Request) -> Service:
    """The service of this application."""
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(service_of)]
open_to_all = APIRouter(tags=["state"])
with_key = APIRouter(prefix="/v1", tags=["triage"], dependencies=[Depends(require_key)])
operations = APIRouter(dependencies=[Depends(require_key)], include_in_schema=False)


@with_key.post(
    "/triage",
    openapi_extra=body("Case", IDEMPOTENCY_KEY),
    responses=answers("TriageResult", 401, 403, 408, 409, 413, 422, 429, 500, 503),
    dependencies=[require("triage")],
)
async def triage(request: Request, service: Serving) -> Response:
    """Triage one contact."""
    service.batcher.admit()
    given = await read_json(request, service.settings)

    def check(results: Sequence[Answer]) -> None:
        _note(request, results)
        _no_error(results[0])

    (answer,) = await service.answer(request, given, [read_case(given)], check)
    return JSONResponse(answer)


@with_key.post(
    "/triage/batch",
    openapi_extra=body("Batch", IDEMPOTENCY_KEY),
    responses=answers("BatchResult", 401, 403, 408, 409, 413, 422, 429, 500, 503),
    dependencies=[require("triage")],
)
async def triage_batch(request: Request, service: Serving) -> Response:
    """Triage up to 100 contacts. Results come in their order; one that cannot be triaged has its error in its place."""
    service.batcher.admit()
    given = await read_json(request, service.settings)
    rows = read_batch(given)
    service.spend(request.state.caller, len(rows) - 1)

    results = await service.answer(request, given, rows, partial(_note, request))
    return JSONResponse({"results": results})


@with_key.get("/model", responses=answers("Model", 401, 429))
async def model(service: Serving) -> Response:
    """Names and versions of model, taxonomy and policy, and the figures of the model."""
    return JSONResponse(_finite(service.info))


@with_key.get("/taxonomy", responses=answers("Taxonomy", 401, 429))
async def taxonomy(service: Serving) -> Response:
    """The heads and their labels, with Chinese and English names."""
    return JSONResponse(service.triager.taxonomy.model_dump(mode="json"))


@open_to_all.get("/healthz", responses=answers("State"))
async def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@open_to_all.get("/readyz", responses=answers("State", 503))
async def readyz(service: Serving) -> Response:
    """The model has answered a self-test, and the service is not shutting down."""
    if not service.ready:
        raise not_now("not_ready", "the model has not answered its self-test", 1)
    return JSONResponse({"status": "ready"})


@operations.get("/metrics")
async def metrics(service: Serving) -> Response:
    """What Prometheus reads."""
    return Response(service.metrics.render(service.info), media_type=CONTENT_TYPE_LATEST)


def _no_error(answer: Answer) -> None:
    """A single case that cannot be triaged is a problem of the whole request."""
    if isinstance(answer, RowError):
        raise (
            bad_input(answer.detail)
            if answer.code == InputError.code
            else ProblemError(500, answer.code, answer.detail)
        )


def _finite(value: Any) -> Any:
    """The same with null for a figure that could not be computed; JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _note(request: Request, results: Sequence[Answer]) -> None:
    """Leave what the log may tell of the results: how many, how often each label, and of which model."""
    done = [result for result in results if isinstance(result, TriageResult)]
    labels: dict[str, Counter[str]] = {}
    for result in done:
        for head, codes in result.codes.items():
            labels.setdefault(head, Counter()).update(codes)
    models = sorted({result.model.get("version", "") for result in done})
    request.state.noted = {
        "cases": len(results),
        "failed": len(results) - len(done),
        "labels": labels,
        "model": ",".join(models),
    }
