"""A ticket system's webhook in, the triage of the ticket out. Fields are mapped by a file, deliveries are signed.

Run: WEBHOOK_SECRET=... TRIAGE_KEY=... uvicorn --factory adapter:from_environment --port 9000
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.client import Client, ServiceError
from triage.case import Case
from triage.errors import InputError
from triage.settings_file import Settings, load_settings

_LARGEST = 1_000_000


class Mapping(Settings):
    """`case` names, for each field of a case, where it stands in a delivery; `answer`, for each field that the ticket
    system wants, where it stands in the result. Places are dotted: `ticket.fields.0.value`.
    """

    service: str = "http://127.0.0.1:8000"
    header: str = "X-Signature-256"
    case: dict[str, str]
    answer: dict[str, str]


def create_adapter(mapping: Mapping, secret: str, client: Client) -> FastAPI:
    """`POST /webhook` with an HMAC-SHA256 of the body, `sha256=HEX`, in the header of the mapping."""
    app = FastAPI(openapi_url=None)

    @app.post("/webhook")
    async def webhook(request: Request) -> JSONResponse:
        body = await request.body()
        if len(body) > _LARGEST:
            return _problem(413, "too large")
        if not is_signed(body, request.headers.get(mapping.header, ""), secret):
            return _problem(401, "the signature is missing or wrong")
        try:
            delivery = json.loads(body)
            case = Case.read(
                {name: found for name, place in mapping.case.items() if (found := look_up(delivery, place))}
            )
        except (ValueError, InputError) as error:
            return _problem(422, str(error) if isinstance(error, InputError) else "the body is not JSON")
        same = hashlib.sha256(body).hexdigest()  # a delivery that comes again is the same contact
        try:
            result = await run_in_threadpool(client.triage, case, same)
        except ServiceError as error:
            return _problem(502, f"triage answered {error.status} {error.code}")
        document = result.to_dict()
        return JSONResponse({name: look_up(document, place) for name, place in mapping.answer.items()})

    return app


def is_signed(body: bytes, given: str, secret: str) -> bool:
    """Whether `given` is `sha256=` and the HMAC of the body; compared in constant time."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode())


def look_up(document: Any, place: str) -> Any:
    """What stands at a dotted place; None if nothing does. In a list, a number is a position and `*` every item."""
    name, _, rest = place.partition(".")
    if isinstance(document, list) and name == "*":
        return [look_up(one, rest) if rest else one for one in document]
    if isinstance(document, list):
        found = document[int(name)] if name.isdigit() and int(name) < len(document) else None
    else:
        found = document.get(name) if isinstance(document, dict) else None
    return look_up(found, rest) if rest else found


def from_environment() -> FastAPI:
    """The adapter as a process: mapping from WEBHOOK_MAPPING or the file beside this one, secrets from variables."""
    path = Path(os.environ.get("WEBHOOK_MAPPING") or Path(__file__).with_name("mapping.yaml"))
    mapping = load_settings(path, Mapping)
    client = Client(mapping.service, os.environ["TRIAGE_KEY"], patience=20)
    return create_adapter(mapping, os.environ["WEBHOOK_SECRET"], client)


def _problem(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)
