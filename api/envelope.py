"""Around every request: its id, the security headers, one line of log, and the answer when all else failed."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from pathlib import Path
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ProblemError

logger = logging.getLogger(__name__)
REQUEST_ID = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FRAMES = 8
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Envelope:
    """ASGI middleware. Its log has no path, no query and no message of an error: they may hold words."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID, ""))
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        except Exception as error:
            _log_failure(request_id, error)
            if not status:
                problem = ProblemError(500, "internal_error", "the request could not be answered")
                await problem.response(request_id)(scope, receive, dressed)
        finally:
            _log_request(scope, status, time.perf_counter() - started)


def _request_id(given: str) -> str:
    return given if _SANE_ID.fullmatch(given) else uuid4().hex


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    method, route = scope["method"], scope.get("route")
    line = {
        "id": scope["state"]["request_id"],
        "method": method if method in _METHODS else None,
        "route": getattr(route, "path", None),
        "status": status,
        "ms": round(seconds * 1000, 1),
        **scope["state"].get("noted", {}),
    }
    logger.info(json.dumps(line, ensure_ascii=False))


def _log_failure(request_id: str, error: Exception) -> None:
    """What kind it was and where it happened, innermost first."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-_FRAMES:])
    way = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    logger.error("%s failed: %s at %s", request_id, type(error).__name__, way)
