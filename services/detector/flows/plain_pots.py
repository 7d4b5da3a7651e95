"""A pot where no registry says who anybody is: nobody stands in front of it, every payer whose payments tell
is a client, and each account is somebody else. Then whose money is in it and where that went is told in one
kernel, made of those between which flows.pots asks the registry; the answers are the same."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, kernel
from services.detector.distinct import numbers_for
from services.detector.flows.collecting import Collected
from services.detector.flows.pots import (
    Follow,
    Held,
    Paid,
    Passed,
    Pot,
    Settings,
    count_payees,
    follow_clients,
)
from services.detector.flows.weighing import WEIGHED, Asked, Gathered, Rule, gather, weigh
from services.detector.parties.entities import Entities
from services.detector.typology import Context

_NO_PRODUCT: Final = 0
_NOT_NAMED: Final = np.empty(0, np.int32)
_NOT_FILED: Final = np.empty(0, np.bool_)


def pot_of(context: Context, entities: Entities, account: int, settings: Settings) -> Pot:
    kind = Pot if entities.registered else PlainPot
    return kind(context, entities, account, settings)


class _Room(NamedTuple):
    """What the kernels fill, by payment in and by payment out."""

    numbers: Array
    weighed: Array
    chosen: Bools
    client: Int32s
    has_paid: Bools
    left: Int64s
    has_matured: Bools
    carried: Int64s
    is_passed: Bools
    payees: Array


def _room(came: int, went: int) -> _Room:
    return _Room(
        numbers_for(came),
        np.zeros(came, WEIGHED),
        np.empty(came, np.bool_),
        np.empty(came, np.int32),
        np.zeros(came, np.bool_),
        np.empty(came, np.int64),
        np.zeros(came, np.bool_),
        np.zeros(went, np.int64),
        np.empty(went, np.bool_),
        numbers_for(went),
    )


class PlainPot(Pot):
    """Where payments are in several currencies, name products or go to the account itself, it is a pot like
    others."""

    def _read(self) -> None:
        self.fronts = ()
        self.accounts = (self._account,)
        self._all_in, self._all_out = self._context.graph.edges_both(self._account, *self._window)
        self._found: tuple[Held, Passed] | None = None

    def collected(self, since_us: int, reported_us: int) -> Collected | None:
        came, went = self._all_in, self._all_out
        self._found = None
        if not len(came):
            return None
        first = int(np.searchsorted(came.ts_us, since_us)) if since_us > self._since_us else 0
        asked = Asked(first, reported_us, self._s.min_clients)
        currency, room = int(came.currency[0]), _room(len(came), len(went))
        rule = Rule(
            *(self._account, currency, self._s.small_fee_minor, self._s.min_deposit_minor),
            *(False, False, False, False),
        )
        named, filed, number = _NOT_NAMED, _NOT_FILED, np.arange(len(came), dtype=np.int32)
        is_plain, gathered, held, passed = follow_all(
            came.records, went.records, rule, named, filed, number, asked, self._follow(currency), room
        )
        if not is_plain:
            return super().collected(since_us, reported_us)
        if gathered[0] < self._s.min_clients:
            return None
        self._found = Held(*held), Passed(room.carried, room.is_passed, *passed)
        return Collected(None, currency, came, room.client, Gathered(*gathered), False, 0, True)

    def became(self, collected: Collected) -> tuple[Held | None, Paid | None]:
        if self._found is None:
            return super().became(collected)
        return self._judged(collected, *self._found)


@kernel
def follow_all(
    came: Array,
    went: Array,
    rule: Rule,
    named: Int32s,
    is_filed: Bools,
    number: Int32s,
    asked: Asked,
    follow: Follow,
    room: _Room,
) -> tuple[bool, tuple[int, int, int, int, bool, int, int, int, int], tuple[int, int, int], tuple[int, int]]:
    """Whether it can be told so; what was gathered, what is held of it, and what was passed on: nothing where
    fewer than N paid. `named` and `is_filed` are empty, and the `number` of each payer is his own."""
    gathered, held, passed = (0, 0, 0, 0, False, 0, 0, 0, 0), (0, 0, 0), (0, 0)
    for place in range(came.size):
        paid = came[place]
        if paid.src == paid.dst or paid.product != _NO_PRODUCT or paid.currency != rule.currency:
            return False, gathered, held, passed
        room.left[place] = paid.amount_minor
    for place in range(went.size):
        if went[place].src == went[place].dst:
            return False, gathered, held, passed
    if weigh(came, asked.first, rule, named, is_filed, room.numbers, room.weighed) < asked.min_clients:
        return True, gathered, held, passed
    for place in range(came.size):
        room.chosen[place] = room.weighed[place].strong or room.weighed[place].weak
    gathered = gather(came, room.weighed, room.chosen, number, asked, room.client, room.has_paid)
    held = follow_clients(
        came, went, room.client, follow, room.left, room.carried, room.is_passed, room.has_matured
    )
    passed = count_payees(went, room.is_passed, room.payees)
    return True, gathered, held, passed
