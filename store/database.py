"""The contract of a store. One suite (tests/store) holds both implementations to it.

The SQL is what ClickHouse 18.16 and chDB 26 both run (design: no DateTime64, CTEs, windows, OFFSET).
Parameters are `%(name)s`, escaped by the driver on both sides, never pasted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

Rows = list[tuple[Any, ...]]
Column: TypeAlias = Sequence[Any] | pa.Array
"""One column's values: a list or, where there are many, an Arrow array."""
Columns: TypeAlias = Mapping[str, Column]


class Database(Protocol):
    """Safe to call from several threads. Every method blocks and raises Unavailable when it fails."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Rows of a SELECT. Integers as int, strings as str, arrays as list.

        Parameters are str, int, float or lists and tuples of them; a tuple is what IN takes, and
        must not be empty. With parameters a literal % is written %%. Raises InvalidInput for
        parameters of any other type.
        """

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing."""

    def insert(self, table: str, columns: Columns) -> None:
        """Append rows given as columns of equal length, in one block. Re-inserting is harmless:
        every table replaces rows of equal key.

        Raises InvalidInput for a column that the table lacks, lengths that differ, and values
        that do not fit the column's type exactly; nothing is inserted then.
        """

    def ping(self) -> None:
        """Return when the store answers."""

    def close(self) -> None: ...
