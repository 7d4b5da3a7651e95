"""Whether certain accounts brought others a certain sum: told before any money is followed."""

from __future__ import annotations

from typing import NamedTuple

from compiled import Array, Int32s, kernel, signed
from services.detector.ascending import place_of
from services.detector.graph.lists import INWARD, View, earlier_than, is_in_view
from services.detector.graph.ring import Ring, first_since, slot_of


class Brought(NamedTuple):
    """At least so much, into any of `takers` from any of `payers` (ascending), or from all `but_these`, in a
    currency and for one of `purposes` (as bits)."""

    takers: Int32s
    payers: Int32s
    but_these: bool
    currency: int
    purposes: int
    least_minor: int


@kernel
def may_be_brought(ring: Ring, accounts: Array, brought: Brought, view: View, limit: int) -> bool:
    """As the transfers say, or some taker has more than the limit."""
    minor = 0
    low = first_since(ring, view.since_us, view.oldest)
    for taker in brought.takers:
        count = 0
        seq = signed(accounts[taker].last_in)
        while seq >= low:
            slot = slot_of(ring, seq)
            leg = ring.legs[slot]
            if is_in_view(view, leg, seq):
                if count == limit:
                    return True
                count += 1
                is_for = brought.purposes >> ring.purposes[slot] & 1 != 0
                if is_for and ring.currencies[slot] == brought.currency:
                    is_among = place_of(brought.payers, leg.src) >= 0
                    minor += leg.amount_minor if is_among != brought.but_these else 0
                    if minor >= brought.least_minor:
                        return True
            seq = earlier_than(leg, seq, INWARD)
    return False
