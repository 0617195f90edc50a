"""How many contacts a key may send in a time. Counted in each worker for itself."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.problems import ProblemError


class RateLimit:
    """`limit` is a rate such as `600/minute`, over a sliding window."""

    def __init__(self, limit: str):
        self._limit = limit
        self._item = parse(limit)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def spend(self, name: str, contacts: int) -> None:
        """Count `contacts` for the key of that name; 429 if they are too many, and then they are not counted."""
        if not self._limiter.hit(self._item, name, cost=contacts):
            wait = self._limiter.get_window_stats(self._item, name).reset_time - time.time()
            detail = f"this key may send {self._limit}"
            raise ProblemError(429, "rate_limited", detail, {"Retry-After": str(max(1, math.ceil(wait)))})
