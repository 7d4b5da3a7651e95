"""Who may push: a feed by its own key, registers and repairs by the operator's."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from schemas.errors import Forbidden, Unauthenticated
from schemas.registry import Feed


class Access:
    """Only SHA-256 digests of keys are held. The demo also lets in those for whom no key is set."""

    def __init__(self, demo: bool, operator_key_sha256: str | None) -> None:
        self._demo = demo
        self._operator_key_sha256 = operator_key_sha256

    def feed(self, feed: Feed, authorization: str | None) -> None:
        """Raises Unauthenticated or Forbidden when the header does not open `feed`."""
        missing = f"feed {feed.feed_id} has no key: register it again with key_sha256"
        self._check(feed.key_sha256, authorization, missing)

    def operator(self, authorization: str | None) -> None:
        """Raises Unauthenticated or Forbidden."""
        missing = "no operator key is set: start ingest with LOOKTHROUGH_OPERATOR_KEY_SHA256"
        self._check(self._operator_key_sha256, authorization, missing)

    def _check(self, key_sha256: str | None, authorization: str | None, missing: str) -> None:
        if key_sha256 is None:
            if not self._demo:
                raise Forbidden(missing)
            return
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Unauthenticated("a key is needed: Authorization: Bearer KEY")
        if not compare_digest(sha256(key.strip().encode()).hexdigest(), key_sha256):
            raise Unauthenticated("this key does not open this door")
