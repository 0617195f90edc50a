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
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    422: "The body breaks a rule of the contract.",
    500: "It could not be answered.",
    503: "Over capacity or not ready; see Retry-After.",
}


def body(schema: str) -> dict[str, Any]:
    """A JSON body, for `openapi_extra`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": ref(schema)}}}}


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
