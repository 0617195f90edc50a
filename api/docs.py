"""A page for people to read the contract: made here, without scripts and without anything from outside."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def install(app: FastAPI) -> None:
    """Serve the page at `/docs`."""
    environment = Environment(loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("docs.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        document = app.openapi()
        html = page.render(info=document["info"], operations=_operations(document))
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry a route: what it is, an example of its body, what it answers."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "about": operation["description"],
            "examples": _examples(document, operation.get("requestBody", {})),
            "responses": [
                {"status": status, "about": response["description"], "examples": _examples(document, response)}
                for status, response in operation["responses"].items()
            ],
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _examples(document: dict[str, Any], part: dict[str, Any]) -> list[str]:
    schemas = document["components"]["schemas"]
    names = [content["schema"]["$ref"].rpartition("/")[2] for content in part.get("content", {}).values()]
    found = [example for name in names for example in schemas[name].get("examples", [])]
    return [json.dumps(example, ensure_ascii=False, indent=2) for example in found]
