"""Messages of the log, read and held as rows until they are written. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
from pydantic import ValidationError

from eventlog.log import Message
from schemas import batch as columnar
from schemas.alert import Alert
from schemas.balance import BALANCES as BALANCE_RECORDS
from schemas.errors import InvalidInput, InvalidRecord
from schemas.feed import Receipt
from schemas.registry import REGISTRY_RECORD
from schemas.reject import Reject
from schemas.risk import RiskScore
from schemas.topics import (
    ALERTS,
    BALANCES,
    KIND_HEADER,
    RECEIPTS,
    REGISTRY,
    REGISTRY_TOPIC,
    REJECTS,
    RISK_SCORES,
    TRANSACTIONS,
    TRANSFERS,
)
from store import rows
from store.database import Columns

Reader = Callable[[bytes, int], rows.Row]

_READERS: Final[dict[str, tuple[str, Reader]]] = {
    ALERTS.name: ("alerts", lambda v, us: rows.alert(Alert.model_validate_json(v), us)),
    RISK_SCORES.name: ("risk_scores", lambda v, us: rows.risk_score(RiskScore.model_validate_json(v), us)),
    RECEIPTS.name: ("receipts", lambda v, us: rows.receipt(Receipt.model_validate_json(v), us)),
    REJECTS.name: ("rejects", lambda v, us: rows.reject(Reject.model_validate_json(v), us)),
    REGISTRY_TOPIC.name: ("registry", lambda v, us: rows.registry(REGISTRY_RECORD.validate_json(v), us)),
}
"""Topic of one JSON record a message → its table, and how a message becomes a row of it."""

TOPICS: Final = (TRANSACTIONS, REGISTRY_TOPIC, RECEIPTS, REJECTS, ALERTS, RISK_SCORES)
_REASON_LENGTH: Final = 500


class Staging:
    """Rows that wait to be written, by table. `count` is how many; the caller bounds it."""

    def __init__(self) -> None:
        self.count = 0
        self._transfers: list[pa.Table] = []
        self._rows: dict[str, list[rows.Row]] = {}

    def add(self, message: Message) -> bool:
        """Stage what `message` carries; False when it cannot be read and is staged as that."""
        try:
            if message.topic == TRANSACTIONS.name:
                self._add_transactions(message)
            else:
                table, read = _READERS[message.topic]
                self._add(table, _fitting(read(message.value, message.appended_us)))
        except (ValidationError, InvalidInput) as error:
            reason = str(error)[:_REASON_LENGTH]
            self._add("unreadable_messages", rows.unreadable(message, reason))
            return False
        return True

    def _add_transactions(self, message: Message) -> None:
        kind = message.headers.get(KIND_HEADER)
        if kind == TRANSFERS:
            transfers = rows.transactions(columnar.decode(message.value), message.appended_us)
            self._transfers.append(transfers)
            self.count += transfers.num_rows
        elif kind == BALANCES:
            feed_id = message.key.decode("utf-8", "replace")
            for balance in BALANCE_RECORDS.validate_json(message.value):
                self._add("balances", rows.balance(balance, feed_id, message.appended_us))
        elif kind != REGISTRY:  # registry records are read from their own topic
            raise InvalidInput(f"header {KIND_HEADER}: {kind!r} is no kind of message that is known here")

    def _add(self, table: str, row: rows.Row) -> None:
        self._rows.setdefault(table, []).append(row)
        self.count += 1

    def tables(self) -> list[tuple[str, Columns]]:
        """What is staged, as columns by table; stays staged until done() is told of the table."""
        staged: list[tuple[str, Columns]] = [
            (table, {name: [row[name] for row in block] for name in block[0]})
            for table, block in self._rows.items()
        ]
        if self._transfers:
            merged = pa.concat_tables(self._transfers)
            staged.append(("transactions", dict(zip(merged.column_names, merged.columns, strict=True))))
        return staged

    def done(self, table: str) -> int:
        """Forget the rows of `table`, which are written; returns how many."""
        if table == "transactions":
            written = sum(len(block) for block in self._transfers)
            self._transfers.clear()
        else:
            written = len(self._rows.pop(table))
        self.count -= written
        return written


def _fitting(row: rows.Row) -> rows.Row:
    """`row`, whose numbers fit the columns: JSON sets none of them a bound that holds everywhere."""
    for name, value in row.items():
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise InvalidRecord(name, "does not fit 64 bits")
    return row
