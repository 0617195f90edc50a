"""The pages of the console as HTML: no scripts, nothing from outside, every value escaped."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_STYLE = resources.files("api").joinpath("templates/console.css").read_text("utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ENVIRONMENT = Environment(
    loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of that name."""
    style = Markup(_STYLE)  # noqa: S704 - our own style sheet, not input
    html = _ENVIRONMENT.get_template(f"console/{name}.html").render(style=style, **values)
    return HTMLResponse(html, status, headers={"Content-Security-Policy": _POLICY})
