"""The store over HTTP: contacts to review, labels that people give, labelled cases to train on, and forgetting."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import Connection

from api.auth import require, require_key
from api.bodies import read_json, read_model
from api.corrections import Correction, ForgetCustomer, read_labels
from api.memory import Memory
from api.openapi import EXPORT, answers, body
from api.problems import ProblemError
from api.routes import Serving
from api.store import contacts, corrections
from api.store.contacts import Record, Wanted

review = APIRouter(prefix="/v1", tags=["review"], dependencies=[Depends(require_key)])
_EXPORTED_AT_ONCE = 500
_ERRORS = (401, 403, 404, 429, 503)
_WITH_BODY = (401, 403, 404, 408, 413, 422, 429, 503)


async def memory_of(service: Serving) -> Memory:
    """The store of this service; 404 if it has none."""
    if service.memory is None:
        raise ProblemError(404, "no_store", "the service was started without a store (TRIAGE_DATABASE_URL)")
    return service.memory


Remembered = Annotated[Memory, Depends(memory_of)]


@review.get("/cases", responses=answers("Contacts", *_ERRORS, 422), dependencies=[require("review")])
async def cases(memory: Remembered, wanted: Annotated[Wanted, Query()]) -> Response:
    """Stored contacts, the latest first, masked. `next` of a page is the `before` of the one after it."""
    found = await memory.read(partial(_page, wanted))
    more = len(found) == wanted.limit
    return JSONResponse({"cases": found, "next": found[-1]["record"] if more else None})


@review.post(
    "/feedback",
    openapi_extra=body("Feedback"),
    responses=answers("Kept", *_WITH_BODY),
    dependencies=[require("review")],
)
async def feedback(request: Request, service: Serving, memory: Remembered) -> Response:
    """Labels that a person gives: for a stored contact by its `id` or `record`, or for a `case` sent with them."""
    given = read_model(Correction, await read_json(request, service.settings))
    labels = read_labels(given.labels, service.triager.taxonomy)
    now = datetime.now(UTC)
    sent_by = request.state.caller.name
    inline = given.case and Record.of(given.case, None, memory.hashed, now, sent_by=sent_by)
    contact = contacts.contact_of(given.id, memory.hashed)

    def keep(connection: Connection) -> int | None:
        added = contacts.add(connection, [inline] if inline else [])
        record = added[0] if added else corrections.find(connection, given.record, contact)
        if record is not None:
            corrections.add(connection, record, {"labels": labels}, sent_by, now)
        return record

    record = await memory.write(keep)
    if record is None:
        raise ProblemError(404, "no_such_case", "no stored contact has this id or record")
    return JSONResponse({"record": record})


@review.get(
    "/feedback/export",
    response_class=StreamingResponse,
    responses={**answers("Kept", *_ERRORS), 200: EXPORT},
    dependencies=[require("review")],
)
async def export(memory: Remembered) -> Response:
    """All contacts that people labelled, as JSONL that `triage data check` and `triage train` read."""
    first = await memory.read(partial(_labelled, 0))
    return StreamingResponse(_lines(memory, first), media_type="application/x-ndjson")


@review.post(
    "/customers/forget",
    openapi_extra=body("Customer"),
    responses=answers("Forgotten", *_WITH_BODY),
    dependencies=[require("admin")],
)
async def forget(request: Request, service: Serving, memory: Remembered) -> Response:
    """Delete all that is stored of a customer. The key is in the body, for paths and queries end up in logs."""
    given = read_model(ForgetCustomer, await read_json(request, service.settings))
    return JSONResponse({"deleted": await memory.forget(given.customer_key)})


async def _lines(memory: Memory, found: list[tuple[int, dict[str, Any]]]) -> AsyncIterator[str]:
    while found:
        yield "".join(json.dumps(case, ensure_ascii=False) + "\n" for _, case in found)
        found = await memory.read(partial(_labelled, found[-1][0]))


def _page(wanted: Wanted, connection: Connection) -> list[dict[str, Any]]:
    return contacts.page(connection, wanted)


def _labelled(after: int, connection: Connection) -> list[tuple[int, dict[str, Any]]]:
    return corrections.labelled(connection, after, _EXPORTED_AT_ONCE)
