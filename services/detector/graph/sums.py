"""What an account's transfers come to, as the graph was just after one row: asked where they need not be
listed. Currencies are together unless it is said otherwise; of more than `limit` those logged last count."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, direct, kernel, signed
from services.detector.distinct import forget, number_of, numbered, numbers_for
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.crowded import Crowded, copy_of, payment_at, payment_before
from services.detector.graph.lists import INWARD, OUTWARD, View, earlier_than, is_in_view
from services.detector.graph.ring import Ring, first_since, slot_of

NOBODY: Final = -1
_NEVER_US: Final = -(2**62)
FEW: Final = 128
"""Transfers that most accounts have no more of: for them little room is enough."""
_WHOLE: Final = 10_000
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
    """For which purposes (as bits) a payment out counts, and one in; how many payees and payers are not too
    few; how much of what came is not too little to pay out, of 10,000."""

    paid: int
    taken: int
    min_payees: int
    min_payers: int
    passed_on_bp: int


class Traded(NamedTuple):
    """What of an account's trade with others falls short, in the currency of what it paid out; nothing is
    told where it paid out in several. `too_few`: payees, or payers where it does not pay out too little."""

    too_few: bool
    too_little: bool


class Wanted(NamedTuple):
    """Transfers of an amount, both bounds inclusive, in a currency and for one of `purposes` (as bits); not
    from OUTSIDE, and not the one numbered `but_seq`."""

    least_minor: int
    most_minor: int
    currency: int
    purposes: int
    but_seq: int


PAYEE: Final = np.dtype([("minor", "<i8"), ("account", "<i4"), ("trades", "?")])


class Sheet(NamedTuple):
    """Scratch for so many transfers each way: numbers of payees, what each was paid, numbers of payers."""

    numbers: Array
    payees: Array
    payers: Array


def new_sheet(most: int) -> Sheet:
    return Sheet(numbers_for(most), np.empty(most, PAYEE), numbers_for(most))


def payees_of(ring: Ring, accounts: Array, account: int, view: View, limit: int, at_hand: Sheet) -> Payees:
    """`at_hand`: for FEW."""
    asked = (ring, accounts, account, view)
    found, is_whole = _sum_payees(*asked, min(FEW, limit), at_hand)
    if not is_whole and limit > FEW:
        found, _ = _sum_payees(*asked, limit, new_sheet(limit))
    return Payees(*found)


def traded_of(
    ring: Ring, accounts: Array, account: int, view: View, limit: int, trade: Trade, at_hand: Sheet
) -> tuple[Payees, Traded]:
    """`at_hand`: for FEW."""
    asked = (ring, accounts, account, view, trade)
    found, traded, is_whole = _sum_trade(*asked, min(FEW, limit), at_hand)
    if not is_whole and limit > FEW:
        found, traded, _ = _sum_trade(*asked, limit, new_sheet(limit))
    return Payees(*found), Traded(*traded)


@kernel
def sum_payees(
    ring: Ring, accounts: Array, account: int, view: View, limit: int, sheet: Sheet
) -> tuple[tuple[int, int, int, int, int], bool]:
    """And whether there are no more transfers than the limit."""
    minor = 0
    latest_us = _NEVER_US
    count = 0
    low = first_since(ring, view.since_us, view.oldest)
    seq = signed(accounts[account].last_out)
    forget(sheet.numbers)
    while seq >= low:
        leg = ring.legs[slot_of(ring, seq)]
        if is_in_view(view, leg, seq):
            if count == limit:
                break
            known = numbered(sheet.numbers)
            number = number_of(sheet.numbers, leg.dst)
            payee = sheet.payees[number]
            if number == known:
                payee.account = leg.dst
                payee.minor = 0
                payee.trades = False
            payee.minor += leg.amount_minor
            minor += leg.amount_minor
            latest_us = max(latest_us, signed(leg.ts_us))
            count += 1
        seq = earlier_than(leg, seq, OUTWARD)
    foremost, most = foremost_of(sheet.payees, numbered(sheet.numbers))
    return (numbered(sheet.numbers), minor, foremost, most, latest_us), seq < low


_sum_payees: Final = direct(sum_payees)


@kernel
def foremost_of(payees: Array, count: int) -> tuple[int, int]:
    foremost = NOBODY
    most = 0
    for each in range(count):
        account, minor = signed(payees[each].account), signed(payees[each].minor)
        if foremost == NOBODY or minor > most or (minor == most and account < foremost):
            foremost = account
            most = minor
    return foremost, most


@kernel
def sum_trade(
    ring: Ring, accounts: Array, account: int, view: View, trade: Trade, limit: int, sheet: Sheet
) -> tuple[tuple[int, int, int, int, int], tuple[bool, bool], bool]:
    """Payees, Traded, and whether there are no more transfers than the limit of those that were read."""
    found, is_whole = sum_payees(ring, accounts, account, view, limit, sheet)
    if found[0] < trade.min_payees:
        return found, (True, False), is_whole
    payees, paid_minor, currency, is_mixed = sum_settled(ring, accounts, account, view, trade, limit, sheet)
    if is_mixed:
        return found, (False, False), is_whole
    if payees < trade.min_payees:
        return found, (True, False), is_whole
    payers, too_little, all_read = sum_taken(
        ring, accounts, account, view, trade, limit, currency, paid_minor, sheet.payers
    )
    too_few = payers < trade.min_payers and not too_little
    return found, (too_few, too_little), is_whole and all_read


_sum_trade: Final = direct(sum_trade)


@kernel
def sum_settled(
    ring: Ring, accounts: Array, account: int, view: View, trade: Trade, limit: int, sheet: Sheet
) -> tuple[int, int, int, bool]:
    """With how many others it trades of the payees that have numbers, how much it paid them, in which
    currency, and whether it paid out in another too."""
    payees, minor = 0, 0
    currency = _NO_CURRENCY
    count = 0
    seq = signed(accounts[account].last_out)
    low = first_since(ring, view.since_us, view.oldest)
    while seq >= low and count < limit:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            if currency != _NO_CURRENCY and ring.currencies[slot] != currency:
                return payees, minor, currency, True
            currency = signed(ring.currencies[slot])
            count += 1
            if leg.dst != account and trade.paid >> ring.purposes[slot] & 1 != 0:
                payee = sheet.payees[number_of(sheet.numbers, leg.dst)]
                minor += leg.amount_minor
                payees += not payee.trades
                payee.trades = True
        seq = earlier_than(leg, seq, OUTWARD)
    return payees, minor, currency, False


@kernel
def sum_taken(
    ring: Ring,
    accounts: Array,
    account: int,
    view: View,
    trade: Trade,
    limit: int,
    currency: int,
    paid_minor: int,
    payers: Array,
) -> tuple[int, bool, bool]:
    """With how many others it trades that paid it; whether what it paid out is too little for what they did:
    then no more is read; and whether there are no more transfers than the limit."""
    minor = 0
    count = 0
    low = first_since(ring, view.since_us, view.oldest)
    seq = signed(accounts[account].last_in)
    forget(payers)
    while seq >= low:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            if count == limit:
                return numbered(payers), False, False
            count += 1
            counts = trade.taken >> ring.purposes[slot] & 1 != 0 and ring.currencies[slot] == currency
            if counts and leg.src != account:
                number_of(payers, leg.src)
                minor += leg.amount_minor
                if paid_minor < share_of(minor, trade.passed_on_bp):
                    return numbered(payers), True, True
        seq = earlier_than(leg, seq, INWARD)
    return numbered(payers), False, True


@kernel
def share_of(minor: int, share_bp: int) -> int:
    """Of 10,000, rounded up; no product overflows while the share is no more than the whole."""
    return minor // _WHOLE * share_bp + -(-(minor % _WHOLE * share_bp) // _WHOLE)


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
def find_crowded(
    ring: Ring,
    accounts: Array,
    crowded: Crowded,
    takers: Int32s,
    most: Int64s,
    least_minor: int,
    view: View,
    limit: int,
    payers: Int32s,
    found: Bools,
) -> None:
    """Which `takers` take in no more than the `most` that is theirs, and from as many as there is room for in
    `payers` at least so much at once; only so many transfers are read."""
    low = first_since(ring, view.since_us, view.oldest)
    for place in range(takers.size):
        left = signed(most[place])
        count, nth = 0, 0
        others = 0
        copy = copy_of(ring, accounts, crowded, takers[place])
        seq = signed(accounts[takers[place]].last_in)
        while seq >= low and count < limit and left >= 0:
            paid = payment_at(ring, crowded, copy, nth, seq)
            if is_in_view(view, paid, seq):
                left -= paid.amount_minor
                if paid.amount_minor >= least_minor and paid.src != OUTSIDE_INDEX:
                    others = note_one(payers, others, paid.src)
                count += 1
            seq = payment_before(ring, crowded, copy, nth, seq)
            nth += 1
        found[place] = left >= 0 and others == payers.size


@kernel
def note_one(noted: Int32s, count: int, account: int) -> int:
    """How many of the distinct accounts there is room for are noted, with this one."""
    if count == noted.size:
        return count
    for place in range(count):
        if noted[place] == account:
            return count
    noted[count] = account
    return count + 1


@kernel
def pays_as_much(ring: Ring, accounts: Array, account: int, least_minor: int, view: View, limit: int) -> bool:
    """Its transfers out come to `least_minor` or more; or they are more than `limit`."""
    low = first_since(ring, view.since_us, view.oldest)
    left, count = least_minor, 0
    seq = signed(accounts[account].last_out)
    while seq >= low and left > 0 and count <= limit:
        leg = ring.legs[slot_of(ring, seq)]
        if is_in_view(view, leg, seq):
            left -= leg.amount_minor
            count += 1
        seq = earlier_than(leg, seq, OUTWARD)
    return left <= 0 or count > limit


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
