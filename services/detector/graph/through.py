"""What went through a few accounts, for attribution: of what others paid them, no more than sums.

What an account that is followed was paid by one who is not is nobody's money, whatever the rule of
attribution. Up to the next move that concerns the account only the sum of it matters: so it is summed as it
is read, newest first, and never put in order.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from attribution import Payments
from compiled import Array, Int32s, Int64s, Record, kernel, signed
from services.detector.ascending import place_of
from services.detector.graph.crowded import Crowded, copy_of, payment_at, payment_before
from services.detector.graph.lists import INWARD, OUTWARD, View, earlier_than, is_in_view
from services.detector.graph.ordering import before, distinct_in_order
from services.detector.graph.ring import Ring, first_since, slot_of

MOVE: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("ts_us", "<i8"),
        ("amount_minor", "<i8"),
        ("payer", "<i4"),  # places among the accounts followed, -1: not followed
        ("payee", "<i4"),
        ("src", "<i4"),  # the accounts
        ("dst", "<i4"),
        ("before_payer", "<i4"),  # the move before it that concerns its payer, -1: none
        ("before_payee", "<i4"),
        ("to_payer_minor", "<i8"),  # what others paid the payer since that one
        ("to_payee_minor", "<i8"),
        ("is_origin", "?"),
    ]
)
"""A payment by an account that is followed, or of the money that is followed."""

_PAYMENTS_A_MOVE: Final = 3
_NONE: Final = -1
_SKETCH_MASK: Final = 63


class Through(NamedTuple):
    """What is asked. Of more than `limit` transfers into one account, or out of one, those logged last
    count; those of the money that is followed, `origins`, always do."""

    followed: Int32s
    """Ascending."""
    origins: Int64s
    """Sequence numbers, ascending."""
    currency: int
    limit: int
    scope: View


class Passed(NamedTuple):
    """Payments as attribution takes them, and their transfers and accounts: these are -1 where it is a sum of
    what others paid."""

    payments: Payments
    seq: Int64s
    src: Int32s
    dst: Int32s

    def first(self, count: int) -> Passed:
        payer, payee, amount_minor, is_origin = self.payments
        payments = Payments(payer[:count], payee[:count], amount_minor[:count], is_origin[:count])
        return Passed(payments, self.seq[:count], self.src[:count], self.dst[:count])


class Room(NamedTuple):
    """Scratch, for so many moves."""

    listed: Array
    moves: Array
    places: Int32s
    spare: Int32s
    passed: Passed


def new_room(most: int) -> Room:
    places, spare = np.empty((2, most), np.int32)
    payer, payee, src, dst = np.empty((4, _PAYMENTS_A_MOVE * most), np.int32)
    amount_minor, seq = np.empty((2, _PAYMENTS_A_MOVE * most), np.int64)
    is_origin = np.empty(_PAYMENTS_A_MOVE * most, np.bool_)
    passed = Passed(Payments(payer, payee, amount_minor, is_origin), seq, src, dst)
    return Room(np.empty(most, MOVE), np.empty(most, MOVE), places, spare, passed)


@kernel
def list_through(
    ring: Ring,
    accounts: Array,
    crowded: Crowded,
    asked: Through,
    at: Int64s,
    room: Room,
) -> tuple[int, int]:
    """How many moves there are, and how many payments were written to the room: none where it is too small.
    `at`: two numbers for each account followed."""
    low = first_since(ring, asked.scope.since_us, asked.scope.oldest)
    unlisted, latest = at[0], at[1]
    count = list_moves(ring, accounts, asked, low, unlisted, room.listed)
    if count > room.listed.size:
        return count, 0
    moves = room.moves[:count]
    distinct_in_order(room.listed, room.places, room.spare, moves)
    link_moves(moves, latest)
    sketch = sketch_of(asked.followed)
    for place in range(asked.followed.size):
        if latest[place] >= 0:
            sum_others(ring, accounts, crowded, asked, place, low, sketch, latest[place], moves)
    return count, write_payments(moves, room.passed)


# -- moves ---------------------------------------------------------------------------------------


@kernel
def list_moves(ring: Ring, accounts: Array, asked: Through, low: int, unlisted: Int64s, moves: Array) -> int:
    """How many there are, each once, whether there is room for them or not."""
    count = 0
    for seq in asked.origins:
        count = note_move(ring, asked, seq, moves, count)
    is_whole = True
    for place in range(asked.followed.size):
        listed = 0
        seq = signed(accounts[asked.followed[place]].last_out)
        while seq >= low and listed < asked.limit:
            leg = ring.legs[slot_of(ring, seq)]
            if is_in_view(asked.scope, leg, seq):
                listed += 1
                if place_of(asked.origins, seq) < 0:
                    count = note_move(ring, asked, seq, moves, count)
            seq = earlier_than(leg, seq, OUTWARD)
        unlisted[place] = seq
        is_whole = is_whole and seq < low
    return count if is_whole else list_unlisted(ring, accounts, asked, low, unlisted, moves, count)


@kernel
def list_unlisted(
    ring: Ring, accounts: Array, asked: Through, low: int, unlisted: Int64s, moves: Array, count: int
) -> int:
    """And those over the limit out of their payers, from `unlisted` back, but not into their payees."""
    for place in range(asked.followed.size):
        listed = 0
        seq = signed(accounts[asked.followed[place]].last_in)
        while seq >= low and listed < asked.limit:
            leg = ring.legs[slot_of(ring, seq)]
            if is_in_view(asked.scope, leg, seq):
                listed += 1
                payer = place_of(asked.followed, leg.src)
                if payer >= 0 and seq <= unlisted[payer] and place_of(asked.origins, seq) < 0:
                    count = note_move(ring, asked, seq, moves, count)
            seq = earlier_than(leg, seq, INWARD)
    return count


@kernel
def note_move(ring: Ring, asked: Through, seq: int, moves: Array, count: int) -> int:
    """Those in other currencies are none."""
    slot = slot_of(ring, seq)
    if ring.currencies[slot] != asked.currency:
        return count
    if count < moves.size:
        leg, move = ring.legs[slot], moves[count]
        move.seq = seq
        move.ts_us = leg.ts_us
        move.amount_minor = leg.amount_minor
        move.payer = place_of(asked.followed, leg.src)
        move.payee = place_of(asked.followed, leg.dst)
        move.src = leg.src
        move.dst = leg.dst
        move.to_payer_minor = 0
        move.to_payee_minor = 0
        move.is_origin = place_of(asked.origins, seq) >= 0
    return count + 1


@kernel
def link_moves(moves: Array, latest: Int64s) -> None:
    """`moves` are in the order of time; `latest`, by place, is filled."""
    latest[:] = _NONE
    for number in range(moves.size):
        move = moves[number]
        if move.payer >= 0:
            move.before_payer = latest[move.payer]
        if move.payee >= 0:
            move.before_payee = latest[move.payee]
            latest[move.payee] = number
        if move.payer >= 0:
            latest[move.payer] = number


# -- what others paid ----------------------------------------------------------------------------


@kernel
def sum_others(
    ring: Ring,
    accounts: Array,
    crowded: Crowded,
    asked: Through,
    place: int,
    low: int,
    sketch: int,
    latest: int,
    moves: Array,
) -> None:
    """Add what others paid one account to the moves that concern it, the first after each payment."""
    account = asked.followed[place]
    copy = copy_of(ring, accounts, crowded, account)
    listed, nth, first = 0, 0, _NONE
    seq = signed(accounts[account].last_in)
    while seq >= low and listed < asked.limit:
        paid = payment_at(ring, crowded, copy, nth, seq)
        if is_in_view(asked.scope, paid, seq):
            listed += 1
            first = first_after(moves, place, first, latest, paid, seq)
            if first >= 0 and is_of_others(asked, sketch, paid.src, paid.currency, seq):
                add_to(moves[first], place, paid.amount_minor)
        seq = payment_before(ring, crowded, copy, nth, seq)
        nth += 1


@kernel
def add_to(move: Record, place: int, minor: int) -> None:
    """What was paid to the account at `place`, which the move concerns."""
    if move.payer == place:
        move.to_payer_minor += minor
    else:
        move.to_payee_minor += minor


@kernel
def is_of_others(asked: Through, sketch: int, payer: int, currency: int, seq: int) -> bool:
    """It is no move, and counts."""
    if currency != asked.currency:
        return False
    is_followed = sketch >> (payer & _SKETCH_MASK) & 1 != 0 and place_of(asked.followed, payer) >= 0
    return not is_followed and place_of(asked.origins, seq) < 0


@kernel
def sketch_of(followed: Int32s) -> int:
    """A bit for some accounts each: those of which no bit is set are not followed."""
    sketch = 0
    for account in followed:
        sketch |= 1 << (account & _SKETCH_MASK)
    return sketch


@kernel
def first_after(moves: Array, place: int, near: int, latest: int, leg: Record, seq: int) -> int:
    """Of the moves that concern an account, the first after a leg, -1: none is. Sought from `near` back, what
    was found for the leg logged after it, or where that is no good from the latest."""
    found = near if near >= 0 and before(leg.ts_us, seq, moves[near].ts_us, moves[near].seq) else latest
    if found < 0 or not before(leg.ts_us, seq, moves[found].ts_us, moves[found].seq):
        return _NONE
    earlier = move_before(moves[found], place)
    while earlier >= 0 and before(leg.ts_us, seq, moves[earlier].ts_us, moves[earlier].seq):
        found = earlier
        earlier = move_before(moves[found], place)
    return found


@kernel
def move_before(move: Record, place: int) -> int:
    return signed(move.before_payer if move.payer == place else move.before_payee)


# -- the answer ----------------------------------------------------------------------------------


@kernel
def write_payments(moves: Array, passed: Passed) -> int:
    """In the order in which attribution takes them; how many they are."""
    count = 0
    for number in range(moves.size):
        move = moves[number]
        count = write_sum(passed, count, move.payer, move.to_payer_minor)
        count = write_sum(passed, count, move.payee, move.to_payee_minor)
        write_payment(passed, count, move.payer, move.payee, move.amount_minor, move.is_origin)
        passed.seq[count] = move.seq
        passed.src[count] = move.src
        passed.dst[count] = move.dst
        count += 1
    return count


@kernel
def write_sum(passed: Passed, count: int, payee: int, minor: int) -> int:
    if minor == 0:
        return count
    write_payment(passed, count, _NONE, payee, minor, False)
    passed.seq[count] = _NONE
    passed.src[count] = _NONE
    passed.dst[count] = _NONE
    return count + 1


@kernel
def write_payment(passed: Passed, place: int, payer: int, payee: int, minor: int, is_origin: bool) -> None:
    passed.payments.payer[place] = payer
    passed.payments.payee[place] = payee
    passed.payments.amount_minor[place] = minor
    passed.payments.is_origin[place] = is_origin
