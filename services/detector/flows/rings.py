"""Rings among strangers: found in compiled code, from the payer of the closing transfer back."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int64s, Record, direct, kernel, signed
from services.detector.books.stranger_legs import NO_LEG, Known, StrangerLegs, slot_of, step_back
from services.detector.flows.shape_triggers import Asked, Rows, asked, bring_ends_near
from services.detector.graph.ordering import before, comes_first
from services.detector.typology import Step

LATEST: Final = 50
"""Legs into one account that are looked through."""
_READ_AHEAD: Final = 128
"""Legs that are read from the payee on, before a ring is searched from the payer back."""


class Closing(NamedTuple):
    """The transfer that may close a ring, whose legs are not before `since_us` nor logged before `oldest`."""

    src: int
    dst: int
    ts_us: int
    seq: int
    amount_minor: int
    currency: int
    since_us: int
    oldest: int


class Bounds(NamedTuple):
    """`window_us`: payer and payee of a leg began to deal within it. `max_accounts`: of one search."""

    window_us: int
    max_legs: int
    least_permille: int
    most_permille: int
    max_accounts: int


class _Search(NamedTuple):
    """By account, where it was reached: the number of the leg out of it; in which round. Then the accounts
    reached, in that order."""

    leg: Int64s
    round: Int64s
    reached: Int64s


class Rings:
    """Memory: 16 bytes an account."""

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self._search = _Search(none, none, none)

    def closing(self, step: Step, rows: Rows, bounds: Bounds, least: int) -> Rows:
        """Those of `rows` that close a ring of `least` legs or more."""
        self._make_room(step.legs, bounds)
        chosen = np.zeros(rows.size, np.bool_)
        columns = asked(step, rows, bounds.window_us)
        one = step.applied
        find_rings(step.legs.known, self._search, columns, one.ts_us, one.amount_minor, bounds, least, chosen)
        return rows[chosen]

    def closed_by(self, legs: StrangerLegs, closing: Closing, bounds: Bounds) -> list[int]:
        """Sequence numbers of the shortest ring that the transfer closes; empty where none is found. Each
        leg is as late as can be."""
        self._make_room(legs, bounds)
        found = np.zeros(bounds.max_legs, np.int64)
        count = find_ring(legs.known, self._search, closing, bounds, found)
        seqs: list[int] = found[:count].tolist()
        return seqs

    def _make_room(self, legs: StrangerLegs, bounds: Bounds) -> None:
        accounts, room = legs.known.stamps.size // 2, bounds.max_accounts * (LATEST + 1) + 1
        if self._search.leg.size < accounts or self._search.reached.size < room:
            self._search = _Search(*(np.zeros(size, np.int64) for size in (accounts, accounts, room)))


@direct
@kernel
def find_rings(
    known: Known,
    search: _Search,
    asked: Asked,
    ts_us: Int64s,
    amount_minor: Int64s,
    bounds: Bounds,
    least: int,
    chosen: Bools,
) -> None:
    found = search.reached  # it is not read any more when a ring is written
    for place in range(asked.rows.size):
        bring_ends_near(known, asked, place)
        row = asked.rows[place]
        closing = Closing(
            signed(asked.src[row]),
            signed(asked.dst[row]),
            ts_us[row],
            asked.seq[row],
            amount_minor[row],
            signed(asked.currency[row]),
            asked.clock_us[row] - bounds.window_us,
            asked.head[row],
        )
        chosen[place] = may_return(known, search, closing, bounds) and (
            find_ring(known, search, closing, bounds, found) >= least
        )


@kernel
def may_return(known: Known, search: _Search, closing: Closing, bounds: Bounds) -> bool:
    """Whether legs of a ring lead from the payee to the payer, each before the next; so it is too where
    _READ_AHEAD legs do not tell. The payee has dealt with few strangers, as a rule."""
    ledger, ways = known.ledger, search.reached
    account, since_us, since = closing.dst, closing.since_us, NO_LEG
    read, next_way, end = 0, 0, 0
    while True:
        number = newest_of(known, account, False)
        while number >= ledger.ends[0]:
            leg = ledger.legs[slot_of(ledger, number)]
            if leg.seq < closing.oldest or leg.clock_us < closing.since_us:
                break
            read += 1
            if read > _READ_AHEAD:
                return True
            if may_be_of(leg, closing, bounds) and before(since_us, since, leg.ts_us, leg.seq):
                if leg.dst == closing.src:
                    return True
                ways[end] = number
                end += 1
            number = step_back(ledger, number, False)
        if next_way == end:
            return False
        last = ledger.legs[slot_of(ledger, ways[next_way])]
        account, since_us, since = signed(last.dst), signed(last.ts_us), signed(last.seq)
        next_way += 1


@kernel
def may_be_of(leg: Record, closing: Closing, bounds: Bounds) -> bool:
    """By what is said of the leg itself."""
    minor = closing.amount_minor
    is_of: bool = (
        leg.since_us >= leg.ts_us - bounds.window_us
        and leg.ts_us >= closing.since_us
        and before(leg.ts_us, leg.seq, closing.ts_us, closing.seq)
        and leg.seq < closing.seq
        and minor * bounds.least_permille // 1000 <= leg.amount_minor
        and leg.amount_minor <= minor * bounds.most_permille // 1000
        and leg.currency == closing.currency
    )
    return is_of


@kernel
def find_ring(known: Known, search: _Search, closing: Closing, bounds: Bounds, found: Int64s) -> int:
    """Write the ring's sequence numbers to `found`; how many there are."""
    ledger = known.ledger
    known.searches[0] += 1
    stamp = signed(known.searches[0])
    known.stamps[2 * closing.src] = stamp
    search.round[closing.src] = 0
    search.leg[closing.src] = NO_LEG
    search.reached[0] = closing.src
    first, end = 0, 1
    minor = closing.amount_minor
    least, most = minor * bounds.least_permille // 1000, minor * bounds.most_permille // 1000
    for number_of_round in range(1, bounds.max_legs):
        last = end
        for place in range(first, last):
            account = search.reached[place]
            until_us, until = closing.ts_us, closing.seq
            if place > 0:
                out = ledger.legs[slot_of(ledger, search.leg[account])]
                until_us, until = out.ts_us, out.seq
            number = newest_of(known, account, True)
            looked = 0
            while number >= ledger.ends[0] and looked < LATEST:
                here = number
                leg = ledger.legs[slot_of(ledger, here)]
                number = step_back(ledger, here, True)
                if leg.seq < closing.oldest or leg.clock_us < closing.since_us:
                    break
                if leg.seq >= closing.seq or leg.since_us < leg.ts_us - bounds.window_us:
                    continue
                looked += 1
                payer = signed(leg.src)
                if (
                    leg.ts_us < closing.since_us
                    or not before(leg.ts_us, leg.seq, until_us, until)
                    or not least <= leg.amount_minor <= most
                    or leg.currency != closing.currency
                ):
                    continue
                if known.stamps[2 * payer] != stamp:
                    known.stamps[2 * payer] = stamp
                    search.reached[end] = payer
                    end += 1
                else:
                    if search.round[payer] != number_of_round:
                        continue
                    best = ledger.legs[slot_of(ledger, search.leg[payer])]
                    if not comes_first(best, leg):
                        continue
                search.round[payer] = number_of_round
                search.leg[payer] = here
        if known.stamps[2 * closing.dst] == stamp:
            return write_ring(known, search, closing, found)
        if end > bounds.max_accounts or end == last:
            break
        first = last
    return 0


@kernel
def newest_of(known: Known, account: int, inward: bool) -> int:
    place = 2 * account + inward
    return signed(known.ledger.newest[place]) if place < known.ledger.newest.size else NO_LEG


@kernel
def write_ring(known: Known, search: _Search, closing: Closing, found: Int64s) -> int:
    account, count = closing.dst, 0
    while account != closing.src:
        leg = known.ledger.legs[slot_of(known.ledger, search.leg[account])]
        found[count] = leg.seq
        count += 1
        account = signed(leg.dst)
    found[count] = closing.seq
    return count + 1
