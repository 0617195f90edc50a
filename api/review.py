"""The store over HTTP: contacts to review, labels that people give, labelled cases to train on, and forgetting."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from api.asked import Wanted
from api.auth import require, require_key
from api.bodies import read_json, read_model
from api.corrections import Correction, ForgetCustomer, read_labels
from api.openapi import EXPORT, answers, body
from api.problems import ProblemError
from api.routes import Serving
from api.service import Service

if TYPE_CHECKING:
    from api.memory import Memory

review = APIRouter(prefix="/v1", tags=["review"], dependencies=[Depends(require_key)])
_ERRORS = (401, 403, 404, 429, 503)
_WITH_BODY = (401, 403, 404, 408, 413, 422, 429, 503)


def memory_of(service: Service) -> Memory:
    """The store of this service; 404 if it has none."""
    if service.memory is None:
        raise ProblemError(404, "no_store", "the service was started without a store (TRIAGE_DATABASE_URL)")
    return service.memory


@review.get("/cases", responses=answers("Contacts", *_ERRORS, 422), dependencies=[require("review")])
async def cases(service: Serving, wanted: Annotated[Wanted, Query()]) -> Response:
    """Stored contacts, the latest first, masked. `next` of a page is the `before` of the one after it."""
    found = await memory_of(service).page(wanted)
    more = len(found) == wanted.limit
    return JSONResponse({"cases": found, "next": found[-1]["record"] if more else None})


@review.post(
    "/feedback",
    openapi_extra=body("Feedback"),
    responses=answers("Kept", *_WITH_BODY),
    dependencies=[require("review")],
)
async def feedback(request: Request, service: Serving) -> Response:
    """Labels that a person gives: for a stored contact by its `id` or `record`, or for a `case` sent with them."""
    memory = memory_of(service)
    given = read_model(Correction, await read_json(request, service.settings))
    labels = read_labels(given.labels, service.triager.taxonomy)
    record = await memory.correct(given, labels, request.state.caller)
    if record is None:
        raise ProblemError(404, "no_such_case", "no stored contact has this id or record")
    return JSONResponse({"record": record})


@review.get(
    "/feedback/export",
    response_class=StreamingResponse,
    responses={**answers("Kept", *_ERRORS), 200: EXPORT},
    dependencies=[require("review")],
)
async def export(service: Serving) -> Response:
    """All contacts that people labelled, as JSONL that `triage data check` and `triage train` read."""
    memory = memory_of(service)
    first = await memory.labelled(0)
    return StreamingResponse(_lines(memory, first), media_type="application/x-ndjson")


@review.post(
    "/customers/forget",
    openapi_extra=body("Customer"),
    responses=answers("Forgotten", *_WITH_BODY),
    dependencies=[require("admin")],
)
async def forget(request: Request, service: Serving) -> Response:
    """Delete all that is stored of a customer. The key is in the body, for paths and queries end up in logs."""
    memory = memory_of(service)
    given = read_model(ForgetCustomer, await read_json(request, service.settings))
    return JSONResponse({"deleted": await memory.forget(given.customer_key)})


async def _lines(memory: Memory, found: list[tuple[int, dict[str, Any]]]) -> AsyncIterator[str]:
    while found:
        yield "".join(json.dumps(case, ensure_ascii=False) + "\n" for _, case in found)
        found = await memory.labelled(found[-1][0])
