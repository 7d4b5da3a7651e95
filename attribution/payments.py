"""What every method of attribution is asked, and what it answers."""

from __future__ import annotations

from typing import NamedTuple

from compiled import Bools, Int32s, Int64s


class Payments(NamedTuple):
    """Transfers in and out of the accounts followed, in the order of (ts_us, seq), of one currency."""

    payer: Int32s
    """Place of the payer among the accounts followed, -1: not followed."""
    payee: Int32s
    amount_minor: Int64s
    is_origin: Bools
    """It is money to be followed: new money, whatever its payer held."""


class Carried(NamedTuple):
    """Per payment. `by_legs`: what it carried of the origins' money over at most `max_legs` legs, its
    own included; `held`: of an origin, what lies in the accounts followed at the end."""

    by_legs: Int64s
    held: Int64s
