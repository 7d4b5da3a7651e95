"""All the graph's arrays, and the columns of one batch."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np

from compiled import Array, Bools, Int8s, Int16s, Int32s, Int64s
from services.detector.graph.accounts import Accounts
from services.detector.graph.ring import Ring
from services.detector.graph.table import Table

RULES: Final = np.dtype(
    [
        ("window_us", "<i8"),
        ("lateness_us", "<i8"),
        ("max_transfers", "<i8"),
        ("counted_marks", "<u4"),
        ("sum_currency", "<i4"),
    ]
)

INSERTED: Final = 0
DUPLICATE: Final = 1
TOO_LATE: Final = 2
REFUSED: Final = 3


class State(NamedTuple):
    ring: Ring
    accounts: Accounts
    pairs: Table
    """(payer, payee) to the low 32 bits of the newest transfer's sequence number, see pairs.py. Dead once it
    has expired."""
    ids: Table
    """Fingerprint to the low 32 bits of the sequence number. Dead once it has expired."""
    rules: Array


class Records(NamedTuple):
    """Accounts, their names left out."""

    records: Array


class Walked(NamedTuple):
    """Of State what it takes to walk from account to account: at each call of a kernel numba looks at every
    array that it is given."""

    ring: Ring
    accounts: Records


class _Accounts(Protocol):
    @property
    def records(self) -> Array: ...


class Walkable(Protocol):
    """State, or Walked."""

    @property
    def ring(self) -> Ring: ...
    @property
    def accounts(self) -> _Accounts: ...


class Rows(NamedTuple):
    """Columns of one batch: what it says, then what became of each row."""

    src: Int32s
    dst: Int32s
    ts_us: Int64s
    amount_minor: Int64s
    purpose: Int8s
    currency: Int16s
    product: Int32s
    digests: Array
    seq: Int64s
    as_of: Int64s
    head: Int64s
    clock_us: Int64s
    status: Int8s
    late: Bools
    in_degree: Int32s
    out_degree: Int32s
    in_minor: Int64s
    out_minor: Int64s
    payers: Int32s
    payees: Int32s
    marked_payers: Int32s
