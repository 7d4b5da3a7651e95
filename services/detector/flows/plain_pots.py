"""A pot where no registry says who anybody is: nobody stands in front of it, every payer whose payments tell
is a client, and each account is somebody else. Then whose money is in it and where that went is told in one
kernel, made of those between which flows.pots asks the registry; the answers are the same."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, direct, kernel, signed
from services.detector.distinct import emptied, numbers_for
from services.detector.flows.collecting import Collected
from services.detector.flows.matching import NO_PRODUCT, sum_unmatched
from services.detector.flows.pots import (
    Follow,
    Held,
    Paid,
    Pot,
    Settings,
    count_payees,
    follow_clients,
)
from services.detector.flows.weighing import WEIGHED, Asked, Gathered, Rule, gather, weigh
from services.detector.graph import Edges
from services.detector.graph.lists import EDGE, View, read_both
from services.detector.graph.ring import Ring
from services.detector.parties.entities import Entities
from services.detector.typology import Context

_NOT_NAMED: Final = np.empty(0, np.int32)
_NOT_FILED: Final = np.empty(0, np.bool_)


class _Room(NamedTuple):
    """What the kernels fill, by payment in and by payment out, and by payer's number; `numbers`: each its
    own; `amounts`, `sums` and `products`: as of sum_unmatched()."""

    came: Array
    went: Array
    spare: Array
    payers: Array
    weighed: Array
    chosen: Bools
    client: Int32s
    numbers: Int32s
    has_paid: Bools
    left: Int64s
    has_matured: Bools
    carried: Int64s
    is_passed: Bools
    payees: Array
    amounts: Int64s
    sums: Int64s
    products: Array


def _room(legs: int) -> _Room:
    return _Room(
        np.empty(legs, EDGE),
        np.empty(legs, EDGE),
        np.empty(1, EDGE),
        numbers_for(legs),
        np.empty(legs, WEIGHED),
        np.empty(legs, np.bool_),
        np.empty(legs, np.int32),
        np.arange(legs, dtype=np.int32),
        np.empty(legs, np.bool_),
        np.empty(legs, np.int64),
        np.empty(legs, np.bool_),
        np.empty(legs, np.int64),
        np.empty(legs, np.bool_),
        numbers_for(legs),
        np.empty(legs, np.int64),
        np.empty(legs, np.int64),
        numbers_for(legs),
    )


class Rooms:
    """Scratch of 220 bytes for each transfer looked at each way, for one pot at a time; never pickled."""

    def __init__(self) -> None:
        self._room: _Room | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_room": None}

    def of(self, legs: int) -> _Room:
        if self._room is None or self._room.came.size != legs:
            self._room = _room(legs)
        return self._room


class PlainPot(Pot):
    """Read when it is asked what was collected; what it tells lies in its room. Where payments are in several
    currencies, name products or go to the account itself, it is a pot like others."""

    def __init__(
        self, context: Context, entities: Entities, account: int, settings: Settings, rooms: Rooms
    ) -> None:
        self._room = rooms.of(settings.max_legs)
        self._found: tuple[Held | None, Paid | None] | None = None
        super().__init__(context, entities, account, settings)

    def _read(self) -> None:
        self.fronts = ()
        self.accounts = (self._account,)

    def collected(self, since_us: int, reported_us: int) -> Collected | None:
        context, room, s = self._context, self._room, self._s
        terms = _Terms(
            since_us,
            reported_us,
            self._matured_us,
            s.min_clients,
            s.small_fee_minor,
            s.min_deposit_minor,
            s.min_receivers,
            s.match_tolerance_bp,
        )
        reading = context.graph.reading(self._account, self._since_us, context.now_us, context.as_of)
        (came, more_came), (went, more_went), is_plain, currency, gathered, held, passed = _read_and_follow(
            *reading, terms, _NOT_NAMED, _NOT_FILED, room
        )
        self._all_in = Edges(room.came[room.came.size - came :], more_came)
        self._all_out = Edges(room.went[room.went.size - went :], more_went)
        self._found = None
        if not is_plain:
            return super().collected(since_us, reported_us)
        if came == 0 or gathered[0] < s.min_clients:
            return None
        self._found = self._held(Held(*held)), self._paid_on(*passed)
        client = room.client[:came]
        return Collected(None, currency, self._all_in, client, Gathered(*gathered), False, 0, True)

    def became(self, collected: Collected) -> tuple[Held | None, Paid | None]:
        return self._found or super().became(collected)

    def _paid_on(self, receivers: int, minor: int, unmatched: int) -> Paid | None:
        if receivers < self._s.min_receivers or not self._is_unmatched(unmatched, minor):
            return None
        went = self._all_out
        carried, is_passed = self._room.carried[: len(went)], self._room.is_passed[: len(went)]
        return Paid(receivers, minor, unmatched, went, carried, is_passed)


class _Terms(NamedTuple):
    """Money that came since then is followed, of which some was reported and some has matured; and what pools
    are told by, Settings."""

    since_us: int
    reported_us: int
    matured_us: int
    min_clients: int
    small_fee_minor: int
    min_deposit_minor: int
    min_receivers: int
    match_tolerance_bp: int


@kernel
def read_and_follow(
    ring: Ring,
    accounts: Array,
    account: int,
    view: View,
    terms: _Terms,
    named: Int32s,
    is_filed: Bools,
    room: _Room,
) -> tuple[
    tuple[int, bool],
    tuple[int, bool],
    bool,
    int,
    tuple[int, int, int, int, bool, int, int, int, int],
    tuple[int, int, int],
    tuple[int, int, int],
]:
    """What read_both() says; whether the rest can be told so; in the one currency what was gathered, what is
    held of it, and what was passed on: nothing where fewer than N paid. To how many, how much, and, where
    they are enough, how much of it answers to nothing. `named` and `is_filed` are empty."""
    listed, left = read_both(ring, accounts, account, view, room.came, room.went, room.spare)
    came, went = room.came[room.came.size - listed[0] :], room.went[room.went.size - left[0] :]
    gathered, held, passed = (0, 0, 0, 0, False, 0, 0, 0, 0), (0, 0, 0), (0, 0, 0)
    plain = is_plain(came, went)
    currency = signed(came[0].currency) if came.size else 0
    if not plain:
        return listed, left, plain, currency, gathered, held, passed
    begin(came, went, room)
    first = 0
    while first < came.size and came[first].ts_us < terms.since_us:
        first += 1
    rule = Rule(account, currency, terms.small_fee_minor, terms.min_deposit_minor, False, False, False, False)
    payers = room.payers[: emptied(room.payers, came.size)]
    if weigh(came, first, rule, named, is_filed, payers, room.weighed) < terms.min_clients:
        return listed, left, plain, currency, gathered, held, passed
    for place in range(came.size):
        room.chosen[place] = room.weighed[place].strong or room.weighed[place].weak
    asked = Asked(first, terms.reported_us, terms.min_clients)
    gathered = gather(came, room.weighed, room.chosen, room.numbers, asked, room.client, room.has_paid)
    follow = Follow(currency, terms.matured_us)
    held = follow_clients(
        came, went, room.client, follow, room.left, room.carried, room.is_passed, room.has_matured
    )
    passed = judge_passed(came, went, terms, room)
    return listed, left, plain, currency, gathered, held, passed


_read_and_follow: Final = direct(read_and_follow)


@kernel
def judge_passed(came: Array, went: Array, terms: _Terms, room: _Room) -> tuple[int, int, int]:
    """To how many, how much, and, where they are enough, how much of it answers to nothing."""
    payees = room.payees[: emptied(room.payees, went.size)]
    receivers, minor = count_payees(went, room.is_passed, payees)
    if receivers < terms.min_receivers:
        return receivers, minor, 0
    products = room.products[: emptied(room.products, went.size)]
    unmatched = sum_unmatched(
        came,
        room.chosen,
        went,
        room.is_passed,
        terms.match_tolerance_bp,
        products,
        room.sums,
        room.amounts,
    )
    return receivers, minor, unmatched


@kernel
def is_plain(came: Array, went: Array) -> bool:
    plain = True
    for place in range(came.size):
        paid = came[place]
        is_alike = paid.product == NO_PRODUCT and paid.currency == came[0].currency
        plain = plain and is_alike and paid.src != paid.dst
    for place in range(went.size):
        plain = plain and went[place].src != went[place].dst
    return plain


@kernel
def begin(came: Array, went: Array, room: _Room) -> None:
    """As if the room had never been filled."""
    for place in range(came.size):
        weighed = room.weighed[place]
        weighed.tells = weighed.strong = weighed.weak = False
        room.has_paid[place] = False
        room.has_matured[place] = False
        room.left[place] = came[place].amount_minor
    for place in range(went.size):
        room.carried[place] = 0
        room.sums[place] = 0
