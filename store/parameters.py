"""Values into SQL text by the escaping of clickhouse-driver, on both sides the same.

The driver pastes what it does not know (bytes, dict, bool) as Python prints it; such values are
refused here, so that nothing a caller passes can become SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clickhouse_driver.util.escape import escape_params

from schemas.errors import InvalidInput


def render(sql: str, parameters: Mapping[str, Any] | None) -> str:
    """`sql` with each %(name)s replaced by its escaped value; unchanged where parameters is None.

    Raises InvalidInput for a value that cannot be a parameter and for a name that is not given.
    """
    if parameters is None:
        return sql
    for name, value in parameters.items():
        _check(name, value)
    # The driver's context is its connection's time zone, which only dates ask for.
    escaped: dict[str, Any] = escape_params(dict(parameters), context=None)
    try:
        return sql % escaped
    except KeyError as error:
        raise InvalidInput(f"the statement names parameter {error}, which is not given") from None


def _check(name: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        if isinstance(value, tuple) and not value:
            raise InvalidInput(f"parameter {name}: an empty tuple is not SQL")
        for item in value:
            _check(name, item)
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidInput(f"parameter {name}: not text that UTF-8 can hold") from None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"parameter {name}: {type(value).__name__} cannot be a parameter")
