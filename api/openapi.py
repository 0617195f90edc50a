"""The OpenAPI document: routes name the schemas of their bodies, the application adds the schemas."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.schemas import components, ref
from triage.taxonomy import Taxonomy

_ERRORS = {
    401: "No valid key.",
    403: "The key lacks the scope.",
    404: "There is no such case, or no store.",
    408: "The body did not arrive in time.",
    409: "The same request with this Idempotency-Key is still being worked on; see Retry-After.",
    413: "The body is too large.",
    422: "The body breaks a rule of the contract.",
    429: "This key has sent too many contacts; see Retry-After.",
    500: "It could not be answered.",
    503: "Over capacity, not ready, or the store cannot be written; see Retry-After.",
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again with the same key, a request gets the stored answer. Without a store it has no effect.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}


EXPORT: dict[str, Any] = {
    "description": "One labelled case a line.",
    "content": {"application/x-ndjson": {"schema": ref("LabelledCases")}},
}


def body(schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """A JSON body, and headers beside it, for `openapi_extra`."""
    content = {"application/json": {"schema": ref(schema)}}
    found: dict[str, Any] = {"requestBody": {"required": True, "content": content}}
    return {**found, "parameters": list(parameters)} if parameters else found


def answers(schema: str, *errors: int) -> dict[int | str, dict[str, Any]]:
    """A JSON answer and the problems that may come in its place, for `responses`."""
    good = {"description": "Done.", "content": {"application/json": {"schema": ref(schema)}}}
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {200: good, **{status: {"description": _ERRORS[status], "content": content} for status in errors}}


def install(app: FastAPI, taxonomy: Callable[[], Taxonomy]) -> None:
    """Make `app.openapi()` complete. The heads are those of the `taxonomy` in force."""

    @lru_cache(maxsize=1)
    def document(taxonomy: Taxonomy) -> dict[str, Any]:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = components(taxonomy)
        for schema in list(schemas.values()):
            schemas |= schema.pop("$defs", {})
        found.setdefault("components", {})["schemas"] = schemas
        return found

    app.openapi = lambda: document(taxonomy())  # type: ignore[method-assign]  # FastAPI's documented way
