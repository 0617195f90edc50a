"""Keyed hashes: what must be found again but not read. HMAC-SHA256 with the secret of the service.

No slow password hash is needed: the values either have 256 random bits (keys), or are protected by the secret
(customer keys, which anybody could guess by trying all telephone numbers, however slow the hash).
"""

from __future__ import annotations

import hashlib
import hmac


class KeyedHash:
    """`hashed("customer", "C-1")` is 64 hexadecimal digits. The same value under another purpose hashes differently."""

    def __init__(self, secret: str):
        self._secret = secret.encode()

    def __call__(self, purpose: str, value: str) -> str:
        return hmac.new(self._secret, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()
