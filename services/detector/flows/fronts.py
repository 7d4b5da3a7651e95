"""Accounts that only stand in front of another: they take large payments from an institution's clients, under
whatever name, and pass most of what they take on to an account that is tied to the institution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from compiled import Int64s
from schemas.transaction import Purpose
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEEPER, TIED
from services.detector.sieve import Fact, sieve
from services.detector.typology import Context, Step

_WHOLE: Final = 10_000
_A_LOOK: Final = 20
"""Payments after which it is mostly clear that an account takes more than it passes on."""
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
    may = (context.marks[came.src] & KEEPER) == 0
    may &= (came.src != OUTSIDE_INDEX) & (came.src != account)
    may &= came.amount_minor >= settings.min_deposit_minor
    if not may.any():
        return {}
    payers, payer = np.unique(came.src[may], return_inverse=True)
    passed = np.bincount(payer, weights=came.amount_minor[may]).astype(np.int64)
    most = np.argsort(-passed, kind="stable")[: settings.max_fronts]
    found = {}
    window = since_us, context.now_us, context.as_of
    for front, minor in zip(payers[most].tolist(), passed[most].tolist(), strict=True):
        taken = context.graph.edges_in(front, *window, min(_A_LOOK, settings.max_legs))
        if taken.truncated and _is_passed(minor, taken, settings):
            taken = context.graph.edges_in(front, *window, settings.max_legs)
        if _is_passed(minor, taken, settings) and _takes_from_clients(entities, front, taken, ties, settings):
            found[front] = taken
    return found


def _is_passed(minor: int, taken: Edges, settings: Settings) -> bool:
    """Whether `minor` is most of what was taken: not of all, where it is not of some."""
    return minor * _WHOLE >= settings.front_passed_bp * int(taken.amount_minor.sum())


def _takes_from_clients(
    entities: Entities, front: int, taken: Edges, ties: Sequence[str], settings: Settings
) -> bool:
    """Most of what it takes is large payments by clients of one of the institutions, and not by a few."""
    large = (taken.amount_minor >= settings.min_deposit_minor) & (taken.src != OUTSIDE_INDEX)
    payers, payer = np.unique(taken.src[large], return_inverse=True)
    if payers.size < settings.min_front_payers:
        return False
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
