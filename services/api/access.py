"""Who may read what: keys for machines, each scoped by sector, region and feed.

The key file is a JSON array of Key objects, for example

    [{"name": "cbirc-beijing", "key_sha256": "…64 hex digits…",
      "sectors": ["cbrc"], "regions": ["CN-11"], "feeds": ["bank_b"], "rejects": false}]

A caller sends `Authorization: Bearer <key>`; only the key's SHA-256 is ever kept.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from schemas.errors import Forbidden, InvalidSetting, Unauthenticated
from schemas.record import Identifier, Record
from services.api.settings import Settings

MAX_KEYS: Final = 10_000

Scope = Literal["*"] | tuple[Identifier, ...]
"""The ids that may be seen, or "*" for all, those without one included."""


class Principal(Record):
    """Who asks. An alert or institution is in scope when its sector and one of its regions are.

    A bank's feed carries many sectors, so feeds are named one by one. Rejects hold account numbers
    in clear: reading them takes both the feed and `rejects`.
    """

    name: Identifier
    sectors: Scope
    regions: Scope
    feeds: Scope = ()
    rejects: bool = False

    def require_rejects(self) -> None:
        """Raises Forbidden unless rejects may be read."""
        if not self.rejects:
            raise Forbidden(
                f"the key of {self.name!r} may not read rejects, which hold account numbers in clear; "
                'ask the operator for a key with "rejects": true'
            )


DEMO: Final = Principal(name="demo", sectors="*", regions="*", feeds="*", rejects=True)


class Key(Principal):
    key_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


_KEYS: Final[TypeAdapter[tuple[Key, ...]]] = TypeAdapter(
    Annotated[tuple[Key, ...], Field(min_length=1, max_length=MAX_KEYS)]
)


class Keyring:
    """The principals by the digest of their keys."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._by_digest = {key.key_sha256: key for key in keys}
        if len(self._by_digest) < len(keys) or len({key.name for key in keys}) < len(keys):
            raise InvalidSetting("two entries of the key file share a name or a key_sha256")

    def principal(self, key: str) -> Principal:
        """Raises Unauthenticated when nobody holds `key`."""
        held = self._by_digest.get(sha256(key.encode("utf-8", "surrogatepass")).hexdigest())
        if held is None:
            raise Unauthenticated("nobody holds this key; check it, or ask the operator for a new one")
        return held


def load(settings: Settings) -> Keyring | None:
    """The keyring of the key file; None in the demo. Raises InvalidSetting naming what is wrong."""
    if settings.demo or settings.keys is None:
        return None
    return Keyring(_read(settings.keys))


def _read(path: Path) -> tuple[Key, ...]:
    try:
        return _KEYS.validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidSetting(f"the key file {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidSetting(f"the key file {path}: {where or 'as a whole'}: {first['msg']}") from None


_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="The key the operator issued. The demo takes none."
)


async def authenticate(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The principal of this request, kept in its state for the access log. Raises Unauthenticated."""
    keyring: Keyring | None = request.app.state.keyring
    request.state.principal = None
    if keyring is None:
        request.state.principal = DEMO
        return DEMO
    if shown is None:
        raise Unauthenticated("this needs a key: send the header 'Authorization: Bearer <key>'")
    principal = keyring.principal(shown.credentials)
    request.state.principal = principal
    return principal
