"""Who may ask: keys sent as `Authorization: Bearer KEY`."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from api.problems import ProblemError

bearer = HTTPBearer(auto_error=False, description="One of the keys in TRIAGE_API_KEYS.")


class Keys:
    """The accepted keys, kept as hashes."""

    def __init__(self, keys: Iterable[SecretStr]):
        self._hashes = [_hash(key.get_secret_value()) for key in keys]

    def accept(self, given: str) -> bool:
        """Whether it is one of them. Every key is compared, in constant time."""
        return sum(hmac.compare_digest(_hash(given), known) for known in self._hashes) > 0


async def require_key(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
    """Let the request pass if it has a key, or if the service was started without keys."""
    keys: Keys | None = request.app.state.service.keys
    if keys is not None and (given is None or not keys.accept(given.credentials)):
        headers = {"WWW-Authenticate": 'Bearer realm="triage"'}
        raise ProblemError(401, "unauthorized", "a valid key is needed: Authorization: Bearer KEY", headers)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
