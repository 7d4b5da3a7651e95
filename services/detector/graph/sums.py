"""What an account's transfers come to, as the graph was just after one row: asked where they need not be
listed. Currencies are together unless it is said otherwise; of more than `limit` those logged last count."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, kernel, signed
from services.detector.distinct import number_of, numbered, numbers_for
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.lists import INWARD, OUTWARD, View, earlier_than, is_in_view
from services.detector.graph.ring import Ring, first_since, slot_of

NOBODY: Final = -1
_NEVER_US: Final = -(2**62)
_FEW: Final = 64
"""Transfers that most accounts have no more of: for them little room is enough."""
_NO_CURRENCY: Final = -1


class Payees(NamedTuple):
    """How many an account paid, and how much in all; who was paid most, the lowest index of several, and how
    much; the time of the latest payment. Of none: NOBODY was paid most, long ago."""

    payees: int
    minor: int
    foremost: int
    foremost_minor: int
    latest_us: int


class Paid(NamedTuple):
    """How much an account paid in one currency: in all; and to other than OUTSIDE, by whether these carry
    certain marks."""

    minor: int
    marked_minor: int
    unmarked_minor: int


class Trade(NamedTuple):
    """For which purposes (as bits) a payment out counts, and one in; fewer than `min_payees` are none."""

    paid: int
    taken: int
    min_payees: int


class Traded(NamedTuple):
    """With how many others an account traded in the currency of what it paid out, and how much each way;
    where it has too few payees, nothing came. `is_mixed`: it paid out in several currencies, and the rest is
    not told."""

    is_mixed: bool
    payees: int
    paid_minor: int
    payers: int
    taken_minor: int


class Wanted(NamedTuple):
    """Transfers of an amount, both bounds inclusive, in a currency and for one of `purposes` (as bits); not
    from OUTSIDE, and not the one numbered `but_seq`."""

    least_minor: int
    most_minor: int
    currency: int
    purposes: int
    but_seq: int


def payees_of(ring: Ring, accounts: Array, account: int, view: View, limit: int) -> Payees:
    for room in (min(_FEW, limit), limit):
        sums, payees = np.zeros(room, np.int64), np.zeros(room, np.int32)
        found, is_whole = sum_payees(ring, accounts, account, view, numbers_for(room), sums, payees)
        if is_whole:
            break
    return Payees(*found)


def traded_of(
    ring: Ring, accounts: Array, account: int, view: View, limit: int, trade: Trade
) -> tuple[Payees, Traded]:
    for most in (min(_FEW, limit), limit):
        sums, payees = np.zeros(most, np.int64), np.zeros(most, np.int32)
        room = _Room(numbers_for(most), sums, payees, np.zeros(most, np.bool_), numbers_for(most))
        found, traded, is_whole = sum_trade(ring, accounts, account, view, trade, room)
        if is_whole:
            break
    return Payees(*found), Traded(*traded)


class _Room(NamedTuple):
    """By payee's number, and the payers'."""

    numbers: Array
    sums: Int64s
    payees: Int32s
    counts: Bools
    payers: Array


@kernel
def sum_payees(
    ring: Ring, accounts: Array, account: int, view: View, numbers: Array, sums: Int64s, payees: Int32s
) -> tuple[tuple[int, int, int, int, int], bool]:
    """And whether there are no more transfers than `sums` and `payees` are long: by the payee's number."""
    minor = 0
    latest_us = _NEVER_US
    count = 0
    low = first_since(ring, view.since_us, view.oldest)
    seq = signed(accounts[account].last_out)
    while seq >= low:
        leg = ring.legs[slot_of(ring, seq)]
        if is_in_view(view, leg, seq):
            if count == sums.size:
                break
            payee = number_of(numbers, leg.dst)
            sums[payee] += leg.amount_minor
            payees[payee] = leg.dst
            minor += leg.amount_minor
            latest_us = max(latest_us, signed(leg.ts_us))
            count += 1
        seq = earlier_than(leg, seq, OUTWARD)
    foremost, most = foremost_of(numbered(numbers), sums, payees)
    return (numbered(numbers), minor, foremost, most, latest_us), seq < low


@kernel
def foremost_of(count: int, sums: Int64s, payees: Int32s) -> tuple[int, int]:
    foremost = NOBODY
    most = 0
    for each in range(count):
        payee = signed(payees[each])
        if foremost == NOBODY or sums[each] > most or (sums[each] == most and payee < foremost):
            foremost = payee
            most = signed(sums[each])
    return foremost, most


@kernel
def sum_trade(
    ring: Ring, accounts: Array, account: int, view: View, trade: Trade, room: _Room
) -> tuple[tuple[int, int, int, int, int], tuple[bool, int, int, int, int], bool]:
    """Payees, Traded, and whether there are no more transfers each way than there is room for."""
    minor = 0
    latest_us = _NEVER_US
    count = 0
    currency = _NO_CURRENCY
    is_mixed = False
    others = 0
    paid_minor = 0
    low = first_since(ring, view.since_us, view.oldest)
    seq = signed(accounts[account].last_out)
    while seq >= low:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            if count == room.sums.size:
                break
            payee = number_of(room.numbers, leg.dst)
            room.sums[payee] += leg.amount_minor
            room.payees[payee] = leg.dst
            minor += leg.amount_minor
            latest_us = max(latest_us, signed(leg.ts_us))
            count += 1
            is_mixed = is_mixed or (currency != _NO_CURRENCY and ring.currencies[slot] != currency)
            currency = signed(ring.currencies[slot])
            if leg.dst != account and trade.paid >> ring.purposes[slot] & 1 != 0:
                paid_minor += leg.amount_minor
                others += not room.counts[payee]
                room.counts[payee] = True
        seq = earlier_than(leg, seq, OUTWARD)
    is_whole = seq < low
    foremost, most = foremost_of(numbered(room.numbers), room.sums, room.payees)
    taken_minor = 0
    count = 0
    seq = signed(accounts[account].last_in)
    while seq >= low and not is_mixed and others >= trade.min_payees:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            if count == room.sums.size:
                is_whole = False
                break
            count += 1
            counts = trade.taken >> ring.purposes[slot] & 1 != 0 and ring.currencies[slot] == currency
            if counts and leg.src != account:
                number_of(room.payers, leg.src)
                taken_minor += leg.amount_minor
        seq = earlier_than(leg, seq, INWARD)
    found = (numbered(room.numbers), minor, foremost, most, latest_us)
    return found, (is_mixed, others, paid_minor, numbered(room.payers), taken_minor), is_whole


@kernel
def sum_paid(
    ring: Ring,
    accounts: Array,
    account: int,
    currency: int,
    marks: Array,
    counted: int,
    view: View,
    limit: int,
) -> tuple[int, int, int]:
    """Paid, by whether `marks` of who was paid are of those `counted`."""
    minor, marked_minor, unmarked_minor = 0, 0, 0
    count = 0
    low = first_since(ring, view.since_us, view.oldest)
    seq = signed(accounts[account].last_out)
    while seq >= low and count < limit:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            count += 1
            if ring.currencies[slot] == currency:
                minor += leg.amount_minor
                if leg.dst != OUTSIDE_INDEX and marks[leg.dst] & counted != 0:
                    marked_minor += leg.amount_minor
                elif leg.dst != OUTSIDE_INDEX:
                    unmarked_minor += leg.amount_minor
        seq = earlier_than(leg, seq, OUTWARD)
    return minor, marked_minor, unmarked_minor


@kernel
def find_more_taken(
    ring: Ring, accounts: Array, takers: Int32s, most: Int64s, view: View, limit: int, more: Bools
) -> None:
    """Which `takers` take more in than the `most` that is theirs; only so many transfers are read."""
    low = first_since(ring, view.since_us, view.oldest)
    for place in range(takers.size):
        left = most[place]
        count = 0
        seq = signed(accounts[takers[place]].last_in)
        while seq >= low and count < limit and not more[place]:
            leg = ring.legs[slot_of(ring, seq)]
            if is_in_view(view, leg, seq):
                more[place] = leg.amount_minor > left
                left -= leg.amount_minor
                count += 1
            seq = earlier_than(leg, seq, INWARD)


@kernel
def find_large_before(
    ring: Ring, accounts: Array, payments: Array, least: Int64s, view: View, limit: int, found: Bools
) -> None:
    """Which `payments` (EDGE records) were made by somebody who by then had been paid the `least` that is
    theirs, or more, at once and in their currency."""
    low = first_since(ring, view.since_us, view.oldest)
    for place in range(payments.size):
        paid = payments[place]
        count = 0
        seq = signed(accounts[paid.src].last_in)
        while seq >= low and count < limit and not found[place]:
            slot = slot_of(ring, seq)
            leg = ring.legs[slot]
            if seq <= view.newest and view.since_us <= leg.ts_us <= paid.ts_us:
                is_large = leg.amount_minor >= least[place]
                found[place] = is_large and ring.currencies[slot] == paid.currency
                count += 1
            seq = earlier_than(leg, seq, INWARD)


@kernel
def is_any_wanted(ring: Ring, accounts: Array, account: int, wanted: Wanted, view: View, limit: int) -> bool:
    """Among the transfers in."""
    count = 0
    low = first_since(ring, view.since_us, view.oldest)
    seq = signed(accounts[account].last_in)
    while seq >= low and count < limit:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            is_about = wanted.least_minor <= leg.amount_minor <= wanted.most_minor
            if is_about and leg.src != OUTSIDE_INDEX and seq != wanted.but_seq:
                is_for = wanted.purposes >> ring.purposes[slot] & 1 != 0
                if is_for and ring.currencies[slot] == wanted.currency:
                    return True
            count += 1
        seq = earlier_than(leg, seq, INWARD)
    return False
