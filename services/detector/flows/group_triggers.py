"""Whether a row completes a group: payers who each pay the same payees. Told in compiled code for all rows
of a batch, by the choices and the counts of the confirmation; where something is not known, the answer is
that it may."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int64s, direct, kernel, signed
from schemas.instant import DAY
from services.detector.books.stranger_legs import (
    MAX_LEGS,
    NO_LEG,
    Known,
    Scope,
    bring_lists_near,
    leg_before,
    newest_leg,
    slot_of,
)
from services.detector.flows.shape_triggers import (
    Asked,
    Rows,
    asked,
    bring_ends_near,
    count_bits,
    is_new,
    scope_of,
)
from services.detector.parties.everyday import NOT_KNOWN, STRANGERS, are_strangers
from services.detector.typology import Step

_MOST_PAYEES: Final = 62
"""Of one payer, numbered: bits of what is shared."""
_FAR: Final = 2**62
_SEEN: Final = 1
"""The place of an account's second stamp: as a payer. The first numbers it as a payee."""
_PAYING: Final = np.dtype([("account", "<i8"), ("payees", "<i8"), ("count", "<i8")])
"""One of the payers, and which of the numbered payees it pays, as bits."""


class Grouping(NamedTuple):
    """So many payers and so many payees, two at least; so many legs, presents (whole yuan below
    `present_minor`) not counted, at so many a day."""

    side: int
    legs: int
    present_minor: int
    legs_a_day: int


def grouped(step: Step, rows: Rows, window_us: int, rule: Grouping) -> Rows:
    """Those of `rows` that may complete such a group."""
    chosen, paying = np.zeros(rows.size, np.bool_), np.empty(MAX_LEGS, _PAYING)
    lists = np.empty(MAX_LEGS, np.int64)
    find_groups(step.legs.known, asked(step, rows, window_us), rule, paying, lists, chosen)
    return rows[chosen]


@direct
@kernel
def find_groups(
    known: Known, asked: Asked, rule: Grouping, paying: Array, lists: Int64s, chosen: Bools
) -> None:
    for place in range(asked.rows.size):
        bring_ends_near(known, asked, place)
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        payer, payee = signed(asked.src[row]), signed(asked.dst[row])
        first = signed(known.searches[0]) + 2
        known.searches[0] += _MOST_PAYEES + 1
        payees = number_payees(known, scope, payer, now_us, first)
        if payees == NOT_KNOWN:
            chosen[place] = True
        elif payees >= rule.side and number_of(known, payee, first, payees) != NOT_KNOWN:
            others = list_others(known, scope, (payer, payee), first, lists)
            if others + 1 >= rule.side and (others + 1) * payees >= rule.legs:
                bring_lists_near(known.ledger, lists, others, scope.since_us)
                payers = list_paying(known, scope, (payer, payee), now_us, first, payees, rule.side, paying)
                chosen[place] = payers == NOT_KNOWN or is_group(
                    known, scope, (payer, payee), now_us, first, payees, payers, rule, paying
                )


@kernel
def number_payees(known: Known, scope: Scope, payer: int, now_us: int, first: int) -> int:
    """Stamp the payees with numbers from `first` on; how many they are, NOT_KNOWN where that is not known
    of all or they are too many."""
    count = 0
    number = newest_leg(known.ledger, payer, False, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        payee = signed(known.ledger.legs[slot_of(known.ledger, number)].dst)
        number = leg_before(known.ledger, number, False, scope)
        if number_of(known, payee, first, count) != NOT_KNOWN:
            continue
        told = are_strangers(known.holders, payer, payee, now_us)
        if told == NOT_KNOWN or count == _MOST_PAYEES:
            return NOT_KNOWN
        if told == STRANGERS:
            known.stamps[2 * payee] = first + count
            count += 1
    return count


@kernel
def number_of(known: Known, payee: int, first: int, count: int) -> int:
    """Which of the payees it is, or NOT_KNOWN."""
    number = signed(known.stamps[2 * payee]) - first
    return number if 0 <= number < count else NOT_KNOWN


@kernel
def list_others(known: Known, scope: Scope, ends: tuple[int, int], first: int, lists: Int64s) -> int:
    """Put the lists of whom the payee's other payers pay into `lists`; how many such payers there are."""
    payer, payee = ends
    count = 0
    number = newest_leg(known.ledger, payee, True, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        other = signed(known.ledger.legs[slot_of(known.ledger, number)].src)
        number = leg_before(known.ledger, number, True, scope)
        if other != payer and is_new(known, other, _SEEN, first - 1):
            lists[count] = 2 * other
            count += 1
    return count


@kernel
def list_paying(
    known: Known,
    scope: Scope,
    ends: tuple[int, int],
    now_us: int,
    first: int,
    payees: int,
    side: int,
    paying: Array,
) -> int:
    """The other payers of the row's payee who pay enough of the payees, those of most first; how many they
    are, NOT_KNOWN where it is not known of all."""
    payer, payee = ends
    own = 1 << number_of(known, payee, first, payees)
    count = 0
    number = newest_leg(known.ledger, payee, True, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        other = signed(known.ledger.legs[slot_of(known.ledger, number)].src)
        number = leg_before(known.ledger, number, True, scope)
        if other == payer or not is_new(known, other, _SEEN, first):
            continue
        told = are_strangers(known.holders, payee, other, now_us)
        shared = shared_by(known, scope, other, now_us, first, payees) if told == STRANGERS else 0
        if told == NOT_KNOWN or shared == NOT_KNOWN:
            return NOT_KNOWN
        shares = count_bits(shared)
        if shared & own == 0 or shares < side:
            continue
        place = count
        while place > 0 and (-shares, other) < (-paying[place - 1].count, paying[place - 1].account):
            paying[place] = paying[place - 1]
            place -= 1
        paying[place].account = other
        paying[place].payees = shared
        paying[place].count = shares
        count += 1
    return count


@kernel
def shared_by(known: Known, scope: Scope, payer: int, now_us: int, first: int, payees: int) -> int:
    """Which of the payees this one pays too, as bits; NOT_KNOWN where it is not known of all."""
    shared = 0
    number = newest_leg(known.ledger, payer, False, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        payee = signed(known.ledger.legs[slot_of(known.ledger, number)].dst)
        number = leg_before(known.ledger, number, False, scope)
        place = number_of(known, payee, first, payees)
        if place == NOT_KNOWN or shared >> place & 1:
            continue
        told = are_strangers(known.holders, payer, payee, now_us)
        if told == NOT_KNOWN:
            return NOT_KNOWN
        shared |= (told == STRANGERS) << place
    return shared


@kernel
def is_group(
    known: Known,
    scope: Scope,
    ends: tuple[int, int],
    now_us: int,
    first: int,
    payees: int,
    payers: int,
    rule: Grouping,
    paying: Array,
) -> bool:
    """Payers are added as long as enough payees are left, and the largest group on the way is weighed."""
    payer, payee = ends
    own = 1 << number_of(known, payee, first, payees)
    shared, members = (1 << payees) - 1, 1
    best, most = shared, 1
    for each in range(payers):
        left = shared & paying[each].payees
        if left & own and count_bits(left) >= rule.side:
            shared = left
            paying[members - 1] = paying[each]
            members += 1
            size, best_size = members * count_bits(shared), most * count_bits(best)
            if most == 1 or size > best_size or (size == best_size and members > most):
                best, most = shared, members
    size = most * count_bits(best)
    if most < rule.side or size < rule.legs:
        return False
    legs, first_us = 0, _FAR
    for each in range(most):
        account = payer if each == 0 else signed(paying[each - 1].account)
        number = newest_leg(known.ledger, account, False, scope)
        for _ in range(MAX_LEGS):
            if number == NO_LEG:
                break
            leg = known.ledger.legs[slot_of(known.ledger, number)]
            number = leg_before(known.ledger, number, False, scope)
            place = number_of(known, signed(leg.dst), first, payees)
            if place != NOT_KNOWN and best >> place & 1:
                legs += leg.amount_minor >= rule.present_minor or leg.amount_minor % 100 != 0
                first_us = min(first_us, leg.ts_us)
    days = -((first_us - now_us) // DAY)
    return legs >= rule.legs and days * rule.legs_a_day <= size
