"""What the graph answers with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from compiled import Array, Bools, Int8s, Int16s, Int32s, Int64s
from schemas.alert import Limit
from services.detector.graph import state


class Status(IntEnum):
    """What became of a row."""

    inserted = state.INSERTED
    duplicate = state.DUPLICATE
    """The same feed's same transaction id is live."""
    too_late = state.TOO_LATE
    """Its time is before clock - window - lateness."""
    refused = state.REFUSED
    """No room for a new account."""


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """One batch, row by row: arrays of one length, and `accounts`. Aggregates are those just after the row.

    `as_of` is what a query about the row passes; it sees nothing of the batch that comes later.
    """

    accounts: int
    """How many are known by the end of it: they are those of index 1 to this."""
    seq: Int64s
    """Sequence number; -1 where the row was not inserted."""
    as_of: Int64s
    """Last sequence number inserted up to and including the row."""
    head: Int64s
    """Sequence number of the oldest transfer that is live."""
    status: Int8s
    """A Status."""
    late: Bools
    """Its time is before clock - lateness."""
    clock_us: Int64s
    """Greatest time of all rows so far."""
    src: Int32s
    """Payer's index; 0 is OUTSIDE, -1 an account there was no room for."""
    dst: Int32s
    ts_us: Int64s
    amount_minor: Int64s
    purpose: Int8s
    currency: Int16s
    product: Int32s
    payers: Int32s
    """Distinct live payers of dst, without OUTSIDE and dst itself."""
    marked_payers: Int32s
    """Those of them that carry one of the counted marks."""
    payees: Int32s
    """Distinct live payees of src."""
    in_degree: Int32s
    """Live transfers into dst, of any kind."""
    out_degree: Int32s
    """Live transfers out of src."""
    in_minor: Int64s
    """Sum of live transfers into dst in the one currency that is summed."""
    out_minor: Int64s
    """Sum of live transfers out of src in that currency."""


@dataclass(slots=True, eq=False)
class Edges:
    """Transfers in the order of (ts_us, seq), and their columns: views of one length."""

    records: Array
    """Of EDGE."""
    truncated: bool = False
    """There were more than the limit; these are the ones logged last."""

    def __len__(self) -> int:
        return self.records.size

    @property
    def seq(self) -> Int64s:
        return self.records["seq"]

    @property
    def src(self) -> Int32s:
        return self.records["src"]

    @property
    def dst(self) -> Int32s:
        return self.records["dst"]

    @property
    def ts_us(self) -> Int64s:
        return self.records["ts_us"]

    @property
    def amount_minor(self) -> Int64s:
        return self.records["amount_minor"]

    @property
    def purpose(self) -> Int8s:
        return self.records["purpose"]

    @property
    def product(self) -> Int32s:
        return self.records["product"]

    @property
    def currency(self) -> Int16s:
        return self.records["currency"]


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """Legs of the time-respecting paths at an account, and what cut the search short."""

    edges: Edges
    hops: Int32s
    """For each edge: the fewest legs of a path from it, itself included, to the account asked about."""
    hubs: Int32s
    """Accounts, met before the last possible leg, that were not passed because they have more transfers than
    the hub degree."""
    limits: tuple[Limit, ...]
    """Any of "hops", "edges", "hub_degree", "window"; empty when the answer is whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """Accounts that paths lead through, and what cut the search short.

    The nearest first: by the fewest legs of a path to each, then by the sequence number of its last leg.
    """

    accounts: Int32s
    limits: tuple[Limit, ...]
    """As of Reached."""
