"""Accounts that only stand in front of another: they take large payments from an institution's clients, under
whatever name, and pass most of what they take on to an account that is tied to the institution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from compiled import Array, Int32s, Int64s, kernel
from schemas.transaction import Purpose
from services.detector.distinct import number_of, numbered, numbers_for
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEEPER, TIED
from services.detector.sieve import Fact, sieve
from services.detector.typology import Context, Step

_WHOLE: Final = 10_000
_ANY_MINOR: Final = np.iinfo(np.int64).max
_NO_TAKINGS: Final = frozenset(
    {
        Purpose.invest,
        Purpose.recharge,
        Purpose.repay,
        Purpose.interest,
        Purpose.fee,
        Purpose.refund,
        Purpose.salary,
        Purpose.tax,
    }
)
"""What a front would not call what it passes on: these are dealings of the payer's own."""
_PASSES_ON: Final = sieve(
    payee=TIED, not_payer=KEEPER, purposes=set(Purpose) - _NO_TAKINGS, facts=Fact.known_payer
)


class Settings(Protocol):
    @property
    def min_deposit_minor(self) -> int: ...
    @property
    def min_front_payers(self) -> int: ...
    @property
    def front_passed_bp(self) -> int: ...
    @property
    def concentration_bp(self) -> int: ...
    @property
    def max_fronts(self) -> int: ...
    @property
    def max_legs(self) -> int: ...


def may_pass_on(step: Step, min_minor: int) -> Int64s:
    """Rows at which a front may pass on what it took, for triggers."""
    return step.passing(_PASSES_ON, min_minor)


def fronts_of(
    context: Context, entities: Entities, account: int, came: Edges, since_us: int, settings: Settings
) -> dict[int, Edges]:
    """Those in front of `account`, which `came` were paid to, with all that was paid to each since then.
    Of many payers those that paid most are looked at."""
    ties = entities.ties(account)
    if not ties:
        return {}
    payers, passed = _large_payers(came, context, account, settings.min_deposit_minor)
    if payers.size == 0:
        return {}
    foremost = np.lexsort((payers, -passed))[: settings.max_fronts]
    payers, most = payers[foremost], _most_taken(passed[foremost], settings)
    window = since_us, context.now_us, context.as_of, settings.max_legs
    crowd = settings.min_front_payers, settings.min_deposit_minor
    found = {}
    for front in payers[context.graph.are_crowded(payers, most, *crowd, *window)].tolist():
        taken = context.graph.edges_in(front, *window)
        if _takes_from_clients(entities, front, taken, ties, settings):
            found[front] = taken
    return found


def _large_payers(
    came: Edges, context: Context, account: int, min_deposit_minor: int
) -> tuple[Int32s, Int64s]:
    """Who made large payments and never kept others' money, and how much each paid so."""
    payers, passed = np.empty(len(came), np.int32), np.zeros(len(came), np.int64)
    numbers = numbers_for(len(came))
    count = sum_payers(came.records, context.marks, account, min_deposit_minor, numbers, payers, passed)
    return payers[:count], passed[:count]


@kernel
def sum_payers(
    came: Array,
    marks: Array,
    account: int,
    min_deposit_minor: int,
    numbers: Array,
    payers: Int32s,
    passed: Int64s,
) -> int:
    """How many they are, in the order of their first such payment."""
    for place in range(came.size):
        paid = came[place]
        if paid.amount_minor < min_deposit_minor or paid.src == OUTSIDE_INDEX or paid.src == account:
            continue
        if marks[paid.src] & KEEPER == 0:
            payer = number_of(numbers, paid.src)
            payers[payer] = paid.src
            passed[payer] += paid.amount_minor
    return numbered(numbers)


def _most_taken(passed: Int64s, settings: Settings) -> Int64s:
    """How much each may have taken for what it passed on to be most of it."""
    share_bp = settings.front_passed_bp
    if share_bp == 0:
        return np.full(passed.size, _ANY_MINOR)
    most = (minor * _WHOLE // share_bp for minor in passed.tolist())
    return np.array([min(minor, _ANY_MINOR) for minor in most], np.int64)


def _takes_from_clients(
    entities: Entities, front: int, taken: Edges, ties: Sequence[str], settings: Settings
) -> bool:
    """Most of what it takes is large payments by clients of one of the institutions, and not by a few."""
    large = (taken.amount_minor >= settings.min_deposit_minor) & (taken.src != OUTSIDE_INDEX)
    payers, payer = np.unique(taken.src[large], return_inverse=True)
    own = entities.entity(front)
    amounts = taken.amount_minor[large]
    total = int(taken.amount_minor.sum())
    for institution_id in ties:
        client = np.array(
            [
                institution_id in entities.client_of(one) and entities.entity(one) != own
                for one in payers.tolist()
            ],
            np.bool_,
        )
        theirs = int(amounts[client[payer]].sum())
        if client.sum() >= settings.min_front_payers and theirs * _WHOLE >= total * settings.concentration_bp:
            return True
    return False
