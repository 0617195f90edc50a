"""Who uses the pages: the key lies in a cookie that no script, no other site and no address can show."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request, Response

from api.auth import Keys
from api.problems import ProblemError
from api.scopes import EVERYBODY, Caller

_COOKIE = "triage_key"
_PATH = "/console"


async def caller_of(request: Request, keys: Keys | None) -> Caller | None:
    """Whose key the cookie holds; None without a valid one."""
    if keys is None:
        return EVERYBODY
    given = request.cookies.get(_COOKIE, "")
    return await keys.find(given) if given else None


def keep_key(request: Request, response: Response, key: str) -> None:
    """Until the browser is closed."""
    response.set_cookie(
        _COOKIE, key, path=_PATH, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def forget_key(response: Response) -> None:
    """The next page asks for a key."""
    response.delete_cookie(_COOKIE, path=_PATH)


def check_origin(request: Request) -> None:
    """403 for a form that another site sent."""
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise ProblemError(403, "forbidden", "the form comes from another site")
