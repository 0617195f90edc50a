"""Who may ask for what: keys sent as `Authorization: Bearer KEY`, and the scopes of each."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from api.hashing import KeyedHash
from api.logs import get_logger
from api.problems import ProblemError
from api.scopes import EVERYBODY, Caller, parse_key
from triage.errors import TriageError

logger = get_logger(__name__)
bearer = HTTPBearer(auto_error=False, description="A key of TRIAGE_API_KEYS, or one made by `triage keys create`.")
Known = list[tuple[str, Caller]]
_FRESH_SECONDS = 5.0  # how long a key that was revoked may still pass


class Keys:
    """The accepted keys, kept as keyed hashes: those of the environment, and those of the store as last read."""

    def __init__(
        self, given: Iterable[SecretStr], hashed: KeyedHash, stored: Callable[[], Awaitable[Known]] | None = None
    ):
        entries = [parse_key(key.get_secret_value(), place) for place, key in enumerate(given, 1)]
        self._hashed = hashed
        self._environment: Known = [(hashed("key", key), caller) for caller, key in entries]
        self._stored: Known = []
        self._read_stored = stored
        self._read_at = -_FRESH_SECONDS
        self._reading = asyncio.Lock()

    async def find(self, given: str) -> Caller | None:
        """Whose key it is. Every key is compared, in constant time."""
        await self._refresh()
        mine = self._hashed("key", given)
        found = [caller for known, caller in (*self._environment, *self._stored) if hmac.compare_digest(known, mine)]
        return found[0] if found else None

    async def _refresh(self) -> None:
        """Read the keys of the store anew from time to time; while it does not answer, the last ones hold."""
        async with self._reading:
            if self._read_stored is None or time.monotonic() - self._read_at < _FRESH_SECONDS:
                return
            try:
                self._stored = await self._read_stored()
            except TriageError as error:
                logger.error("keys of the store not read", reason=str(error))
            self._read_at = time.monotonic()


async def require_key(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """Let the request pass if it has a key that may go on, or if the service was started without keys."""
    service = request.app.state.service
    caller = await _caller(service.keys, given)
    if caller is None:
        headers = {"WWW-Authenticate": 'Bearer realm="triage"'}
        raise ProblemError(401, "unauthorized", "a valid key is needed: Authorization: Bearer KEY", headers)
    request.state.caller = caller
    service.spend(caller, 1)
    return caller


async def _caller(keys: Keys | None, given: HTTPAuthorizationCredentials | None) -> Caller | None:
    if keys is None:
        return EVERYBODY
    return None if given is None else await keys.find(given.credentials)


def require(scope: str) -> Any:
    """A dependency: the key must have this scope."""

    async def check(caller: Annotated[Caller, Depends(require_key)]) -> Caller:
        if scope not in caller.scopes:
            raise ProblemError(403, "forbidden", f"the key needs the scope '{scope}'")
        return caller

    return Depends(check)
