"""Transfers between strangers: accounts that had not dealt with each other before the window.

What is left out is honest life, by principle: transfers with a purpose of ordinary business (salary,
purchase, tax, a platform's own, …: the bank's word is believed), accounts registered in a role (a
shop's settlement account, a client's, an institution's) or held by a company that strangers deal with every
day, and those between accounts of one party.
Where the feed states no purpose and there is no registry, novelty alone is left; findings say so.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from compiled import Bools, Int32s
from registry import ROLE_BIT
from schemas.alert import Limit
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.books.stranger_legs import MAX_LEGS, Scope
from services.detector.legs import Leg
from services.detector.parties.entities import Entities
from services.detector.parties.everyday import EVERYDAY_INDUSTRIES
from services.detector.parties.marks import REGISTERED
from services.detector.sieve import sieve
from services.detector.typology import Context, Step

IN_A_ROLE: Final = REGISTERED & ~ROLE_BIT[AccountRole.external]
_PRIVATE: Final = sieve(
    not_payer=IN_A_ROLE,
    not_payee=IN_A_ROLE,
    purposes=[Purpose.unknown, Purpose.transfer, Purpose.top_up],
)
"""No purpose of ordinary business is stated."""


def paid_between(step: Step, window_us: int) -> npt.NDArray[np.intp]:
    """The rows whose payer and payee are strangers who began to deal within the window: for triggers. Not to
    be written to."""
    known: npt.NDArray[np.intp] | None = step.answers.get((paid_between, window_us))
    if known is not None:
        return known
    rows = step.passing(_PRIVATE)
    rows = rows[step.dealt.since_us[rows] >= step.applied.ts_us[rows] - window_us]
    step.answers[paid_between, window_us] = rows
    return rows


def passed_between(step: Step, window_us: int) -> npt.NDArray[np.intp]:
    """Those of paid_between() whose payer had been paid by one within the window. Not to be written to."""
    known: npt.NDArray[np.intp] | None = step.answers.get((passed_between, window_us))
    if known is not None:
        return known
    rows = paid_between(step, window_us)
    rows = rows[step.dealt.fed_us[rows] >= step.applied.ts_us[rows] - window_us]
    step.answers[passed_between, window_us] = rows
    return rows


class Strangers:
    """As of one confirmation, in one currency; transfers since `window_us` ago."""

    def __init__(self, context: Context, currency: int, window_us: int) -> None:
        self._context = context
        since_us = context.now_us - window_us
        oldest = context.graph.oldest(context.as_of)
        self._scope = Scope(oldest, context.as_of, since_us, currency, context.marks, IN_A_ROLE)
        self._legs: dict[tuple[int, bool], tuple[list[Leg], bool]] = context.answers.setdefault(
            (Strangers, currency, window_us), {}
        )
        self.is_cut = False

    @cached_property
    def entities(self) -> Entities:
        return Entities(self._context)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit(name="legs", bound=MAX_LEGS),) if self.is_cut else ()

    def into(self, account: int) -> list[Leg]:
        """From those who were strangers to it, by (time, seq)."""
        return self._of(account, True)

    def out_of(self, account: int) -> list[Leg]:
        return self._of(account, False)

    def payers(self, account: int) -> set[int]:
        """Those of into()."""
        return self._others(account, True)

    def payees(self, account: int) -> set[int]:
        return self._others(account, False)

    def payees_among(self, payers: Collection[int], among: set[int]) -> dict[int, set[int]]:
        """By payer: which of `among` are of its payees()."""
        paid, is_cut = self._context.legs.paid_among(payers, self._scope, among)
        self.is_cut |= is_cut
        if not self.entities.registered:
            return paid
        return {payer: self._among(payees, payer) for payer, payees in paid.items()}

    def with_suspects(self, account: int, inward: bool) -> list[Leg]:
        """Of into() or out_of() those with accounts that earlier alerts named."""
        context = self._context
        legs, is_cut = context.legs.list(account, inward, self._scope, self._are_suspects)
        self.is_cut |= is_cut
        return self._between_parties(legs, account, inward)

    def _are_suspects(self, accounts: Int32s) -> Bools:
        return self._context.suspects.are_named(accounts, self._context.now_us)

    def _of(self, account: int, inward: bool) -> list[Leg]:
        known = self._legs.get((account, inward))
        if known is None:
            known = self._legs[account, inward] = self._list(account, inward)
        legs, is_cut = known
        self.is_cut |= is_cut
        return legs

    def _list(self, account: int, inward: bool) -> tuple[list[Leg], bool]:
        legs, is_cut = self._context.legs.list(account, inward, self._scope)
        return self._between_parties(legs, account, inward), is_cut

    def _between_parties(self, legs: list[Leg], account: int, inward: bool) -> list[Leg]:
        if not self.entities.registered or not legs:
            return legs
        strangers = self._among({leg.src if inward else leg.dst for leg in legs}, account)
        return [leg for leg in legs if (leg.src if inward else leg.dst) in strangers]

    def _others(self, account: int, inward: bool) -> set[int]:
        others, is_cut = self._context.legs.others(account, inward, self._scope)
        self.is_cut |= is_cut
        return self._among(others, account) if self.entities.registered else others

    def _among(self, others: set[int], account: int) -> set[int]:
        return {other for other in others if self.are_parties(account, other)}

    def are_parties(self, account: int, other: int) -> bool:
        """Neither is of everyday industry, and they are not one and the same."""
        entities = self.entities
        if not entities.registered:
            return True
        if entities.industry(account) in EVERYDAY_INDUSTRIES:
            return False
        everyday = entities.industry(other) in EVERYDAY_INDUSTRIES
        return not everyday and entities.entity(account) != entities.entity(other)
