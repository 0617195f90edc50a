"""Around every request: its id, the security headers, one line of log, and the answer when all else failed."""

from __future__ import annotations

import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import get_logger, place
from api.problems import ProblemError
from api.service import Service

logger = get_logger(__name__)
REQUEST_ID = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
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

    def __init__(self, app: ASGIApp, service: Service):
        self._app = app
        self._service = service

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
                if self._service.leaving:
                    headers["Connection"] = "close"
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        except Exception as error:
            failure = {"error": type(error).__name__, "place": place(error.__traceback__)}
            logger.error("request failed", id=request_id, **failure)
            if not status:
                problem = ProblemError(500, "internal_error", "the request could not be answered")
                await problem.response(request_id)(scope, receive, dressed)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log a request. What was sent as method or path is not repeated unless it is one of ours."""
        method = scope["method"] if scope["method"] in _METHODS else None
        route = getattr(scope.get("route"), "path", None)
        self._service.metrics.requested(method or "other", route or "none", status, seconds)
        logger.info(
            "request",
            id=scope["state"]["request_id"],
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            **scope["state"].get("noted", {}),
        )


def _request_id(given: str) -> str:
    return given if _SANE_ID.fullmatch(given) else uuid4().hex
