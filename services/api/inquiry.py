"""One caller's reading of the store: within his scope, within bounds, counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from schemas.errors import Unavailable
from services.api.access import Principal, Scope, authenticate
from services.api.settings import Settings
from store.database import Database, Rows

WAIT_SECONDS: Final = 2.0
_NOBODY: Final = "-"
"""Stands in an empty list: no identifier begins with it, so it selects nothing."""


class Reader:
    """The store behind a bound: `settings.reads` at a time, each at most `settings.read_seconds`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._slots = BoundedSemaphore(settings.reads)
        self._limit = f"\nSETTINGS max_execution_time = {settings.read_seconds}"

    def query(self, sql: str, parameters: Mapping[str, Any]) -> Rows:
        """Blocks. Raises Unavailable when no slot is free in WAIT_SECONDS or the store fails."""
        with self._slot():
            return self._database.query(sql + self._limit, parameters)

    def ping(self) -> None:
        """Return when the store answers; raises Unavailable."""
        with self._slot():
            self._database.ping()

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            raise Unavailable(f"no read of the store became free in {WAIT_SECONDS} s")
        try:
            yield
        finally:
            self._slots.release()


class Inquiry:
    """What the queries of one request go through. `now_us`: which registry records are in force."""

    def __init__(self, reader: Reader, principal: Principal, now_us: int) -> None:
        self.principal = principal
        self.now_us = now_us
        self.rows = 0
        self._reader = reader
        self._scope = {
            "now_us": now_us,
            "all_sectors": int(principal.sectors == "*"),
            "sectors": _named(principal.sectors),
            "all_regions": int(principal.regions == "*"),
            "regions": list(_named(principal.regions)),
            "all_feeds": int(principal.feeds == "*"),
            "feeds": _named(principal.feeds),
        }

    def query(self, sql: str, **parameters: Any) -> Rows:
        """Rows of `sql`, which may name, beside `parameters`, the scope's own:

        now_us; all_sectors, sectors (tuple); all_regions, regions (array); all_feeds, feeds (tuple).
        """
        rows = self._reader.query(sql, self._scope | parameters)
        self.rows += len(rows)
        return rows


def chosen(
    name: str, values: Sequence[str], kind: type[tuple[str, ...]] | type[list[str]] = tuple
) -> dict[str, Any]:
    """Parameters `any_<name>` (1 when nothing was chosen) and `<name>`, never empty: as a tuple for
    IN, as a list for an array."""
    return {f"any_{name}": int(not values), name: kind(values or (_NOBODY,))}


def _named(scope: Scope) -> tuple[str, ...]:
    return (_NOBODY,) if scope == "*" or not scope else scope


async def _open(request: Request, principal: Annotated[Principal, Depends(authenticate)]) -> Inquiry:
    state = request.app.state
    inquiry = Inquiry(state.reader, principal, state.clock())
    request.state.inquiry = inquiry
    return inquiry


Reading = Annotated[Inquiry, Depends(_open)]
"""The dependency of every handler that reads."""
