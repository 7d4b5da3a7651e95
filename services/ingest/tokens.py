"""Account and identity numbers become keyed tokens here; the clear number goes no further."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final

from schemas.account import OUTSIDE, OUTSIDE_NAMES, TOKEN_BYTES
from schemas.errors import InvalidSetting

MIN_KEY_BYTES: Final = 16
CACHED_ACCOUNTS: Final = 1 << 18
"""Bound of the cache, about 60 MB. When it is full it is emptied: tokens do not depend on it."""


class _Tokens(dict[str, bytes]):
    """number -> token, computed when missing."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, number: str) -> bytes:
        if len(self) >= CACHED_ACCOUNTS:
            self.clear()
        token = OUTSIDE if number in OUTSIDE_NAMES else _mac(self._key, b"account", number)
        self[number] = token
        return token


class Tokeniser:
    """Tokens under one key: the first 128 bits of HMAC-SHA256(key, domain || 0x00 || UTF-8 of number).

    The number is taken exactly as written: a feed and the registry must write an account alike.
    Raises InvalidSetting for a key shorter than 16 bytes. Not safe to share between threads.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise InvalidSetting(f"the token key has {len(key)} bytes; it needs {MIN_KEY_BYTES} or more")
        self._key = key
        self._accounts = _Tokens(key)

    def account(self, number: str) -> bytes:
        """16-byte token of an account number; OUTSIDE for what feeds write for the outside world."""
        return self._accounts[number]

    def accounts(self, numbers: Iterable[str]) -> list[bytes]:
        """`account` of each, in order."""
        return list(map(self._accounts.__getitem__, numbers))

    def identity(self, number: str) -> str:
        """Token of a person's or firm's identity number, 32 hex digits; "" where there is none.

        Never equal to the token of an account of the same number.
        """
        return _mac(self._key, b"identity", number).hex() if number else ""


def _mac(key: bytes, domain: bytes, number: str) -> bytes:
    return hmac.digest(key, domain + b"\0" + number.encode("utf-8", "surrogatepass"), "sha256")[:TOKEN_BYTES]
