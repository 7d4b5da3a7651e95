"""Columns to be inserted, checked against the table that takes them, as one Arrow table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import InvalidInput
from store.database import Columns

STRUCTURE: Final = """
    SELECT name, type FROM system.columns
    WHERE database = currentDatabase() AND table = %(table)s
"""
"""Query for the `structure` of a table: column name → ClickHouse type."""

_ARROW: Final = {
    "String": pa.string(),
    "Int8": pa.int8(),
    "Int16": pa.int16(),
    "Int32": pa.int32(),
    "Int64": pa.int64(),
    "UInt8": pa.uint8(),
    "UInt16": pa.uint16(),
    "UInt32": pa.uint32(),
    "UInt64": pa.uint64(),
    "Array(String)": pa.list_(pa.string()),
}
"""The types our migrations use."""


def typed(table: str, columns: Columns, structure: Mapping[str, str]) -> pa.Table:
    """`columns` with exactly the types of the table.

    Raises InvalidInput for what the table cannot hold: see store.database.Database.insert.
    """
    if not structure:
        raise InvalidInput(f"there is no table {table}")
    arrays = [_array(table, name, values, structure) for name, values in columns.items()]
    if len({len(array) for array in arrays}) > 1:
        raise InvalidInput(f"{table}: the columns differ in length")
    return pa.table(arrays, names=list(columns))


def _array(table: str, name: str, values: object, structure: Mapping[str, str]) -> pa.ChunkedArray:
    try:
        wanted = _ARROW[structure[name]]
    except KeyError:
        raise InvalidInput(f"{table} has no column {name} that can be inserted") from None
    try:
        array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
        if not _is_kin(array.type, wanted):
            raise InvalidInput(f"{table}.{name}: {array.type} given, {wanted} wanted")
        array = array.cast(wanted)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise InvalidInput(f"{table}.{name}: {error}") from None
    inner = pc.list_flatten(array) if pa.types.is_list(wanted) else array
    if array.null_count or inner.null_count:
        raise InvalidInput(f"{table}.{name}: a value is missing")
    return array


def _is_kin(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a checked cast changes no value: Arrow would read "1" as a number and cut 1.5 to 1."""
    if pa.types.is_null(given):
        return True
    if pa.types.is_list(wanted):
        return pa.types.is_list(given) and _is_kin(given.value_type, wanted.value_type)
    same = pa.types.is_integer if pa.types.is_integer(wanted) else pa.types.is_string
    return bool(same(given))
