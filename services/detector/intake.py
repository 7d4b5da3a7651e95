"""What a message of `transactions` holds, and what of several messages is taken in at once.

A look at a batch costs much that does not depend on its rows, so small batches that wait are taken in
together. Nothing that is found depends on it: see services/detector/engine.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.balance import BALANCES as BALANCE_RECORDS
from schemas.balance import Balance
from schemas.batch import TransferBatch, decode
from schemas.errors import MalformedBatch
from schemas.registry import RegistryRecord
from schemas.topics import BALANCES, KIND_HEADER, REGISTRY, TRANSFERS

ROWS_TOGETHER: Final = 8_192
"""Of batches taken in together, unless one has more by itself."""
R = TypeVar("R")

_registry: TypeAdapter[list[RegistryRecord]] = TypeAdapter(list[RegistryRecord])


class Transfers(NamedTuple):
    batches: tuple[TransferBatch, ...]
    size: int
    """Rows of each, or texts of its dictionaries where they are more."""


class Changes(NamedTuple):
    records: list[RegistryRecord]


class Statements(NamedTuple):
    records: list[Balance]


Content: TypeAlias = Transfers | Changes | Statements


def content_of(kind: bytes | None, value: bytes) -> Content:
    """Of a message whose header KIND_HEADER is `kind`. Raises InvalidInput for what cannot be decoded."""
    if kind == TRANSFERS:
        batch = decode(value)
        return Transfers((batch,), max(batch.rows, batch.small_texts))
    if kind == REGISTRY:
        return Changes(_records(_registry, value))
    if kind == BALANCES:
        return Statements(_records(BALANCE_RECORDS, value))
    raise MalformedBatch(f"header {KIND_HEADER} is {kind!r}")


def together(contents: Iterable[Content]) -> Iterator[Content]:
    """Batches that follow one another as one content, of ROWS_TOGETHER at most."""
    waiting: Content | None = None
    for content in contents:
        both = _as_one(waiting, content)
        if both is None and waiting is not None:
            yield waiting
        waiting = both or content
    if waiting is not None:
        yield waiting


def _as_one(first: Content | None, second: Content) -> Transfers | None:
    if not (isinstance(first, Transfers) and isinstance(second, Transfers)):
        return None
    size = first.size + second.size
    return Transfers(first.batches + second.batches, size) if size <= ROWS_TOGETHER else None


def _records(kind: TypeAdapter[list[R]], value: bytes) -> list[R]:
    try:
        return kind.validate_json(value)
    except ValidationError as error:
        raise MalformedBatch(f"not a JSON array of such records: {error}") from None
