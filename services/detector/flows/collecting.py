"""Whose money is gathered in an account: which of its payers are an institution's clients.

A payment in is *strong* evidence when the feed says that it is an investment or a recharge, or names
an institution's product (a transfer that names one, to somebody who is not of the institution, is a claim
that he sells on: weak); *weak* when it says nothing telling; else it is everyday business. Weak
payments count as clients' only where the account is tied to the institution, or where its payers are
so many of that one institution's clients that it is no shop. What is paid to an account that stands in
front of it (services.detector.flows.fronts) is weak evidence where it is large, whatever it is said to be.

An account may have thousands of payments, so they are columns here, not records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np

from compiled import Bools, Int8s, Int32s, Int64s
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of, some_of
from services.detector.parties.entities import Entities
from services.detector.purposes import among

STRONG: Final = frozenset({Purpose.invest, Purpose.recharge})
WEAK: Final = frozenset({Purpose.unknown, Purpose.transfer, Purpose.top_up, Purpose.repay, Purpose.fee})
"""A fee is weak evidence only where it is neither small nor filed."""
_FEE_ROLES: Final = frozenset({AccountRole.fee, AccountRole.guarantee})
_WHOLE: Final = 10_000
_NO_INSTITUTION: Final = -1


_IS_STRONG: Final = among(STRONG)
_IS_TELLING: Final = among(STRONG | WEAK)


def telling(purposes: Int8s) -> Bools:
    """Payments that could make their payers clients."""
    could: Bools = _IS_TELLING[purposes]
    return could


def stated(edges: Edges) -> Bools:
    """Payments that may be strong evidence."""
    may: Bools = _IS_STRONG[edges.purpose] | (edges.product != 0)
    return may


class Settings(Protocol):
    """The parameters that tell clients' money from everyday business."""

    @property
    def min_deposit_minor(self) -> int: ...

    @property
    def concentration_bp(self) -> int: ...
    @property
    def small_fee_minor(self) -> int: ...
    @property
    def everyday_industries(self) -> tuple[str, ...]: ...
    @property
    def licensed_businesses(self) -> tuple[str, ...]: ...


def may_tell(edges: Edges, account: int, settings: Settings) -> Bools:
    """Payments of others to `account`, or to one in front of it, that could make their payers clients."""
    small_fee = (edges.purpose == Purpose.fee) & (edges.amount_minor <= settings.small_fee_minor)
    may: Bools = telling(edges.purpose) & ~small_fee
    may |= (edges.dst != account) & (edges.amount_minor >= settings.min_deposit_minor)
    may &= (edges.src != OUTSIDE_INDEX) & (edges.src != account)
    return may


def is_everyday(entities: Entities, account: int, settings: Settings) -> bool:
    """Of no institution, and in a trade that many people pay: only strong evidence counts."""
    if not entities.registered or entities.ties(account):
        return False
    return entities.industry(account) in settings.everyday_industries


LargestBefore = Callable[[Leg], int]
"""The largest payment to the payer of a leg before it: a filed fee is a rate of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """Payments in that are clients' money, and how that is known. `client[i]` is the number of the
    entity behind payment i, of which there are `clients`; `concentration_bp`: of all paying accounts,
    those of the institution's clients whose payments say nothing else."""

    institution_id: str | None
    edges: Edges
    client: Int64s
    clients: int
    tied: bool
    strong: int
    concentration_bp: int
    unregistered: bool
    unstated: bool


class Collector:
    """One account, and the payments into it in one currency."""

    def __init__(
        self,
        entities: Entities,
        account: int,
        edges: Edges,
        settings: Settings,
        largest_before: LargestBefore,
    ) -> None:
        self._entities = entities
        self._settings = settings
        self._account = account
        self._ties = entities.ties(account)
        self._everyday = is_everyday(entities, account, settings)
        self._licensed = self._is_licensed()
        self._edges = some_of(edges, (edges.src != OUTSIDE_INDEX) & (edges.src != account))
        self._payers, self._payer = np.unique(self._edges.src, return_inverse=True)
        says = may_tell(self._edges, account, settings)
        says &= (self._edges.dst != account) | ~self._fees(largest_before)
        self._named = self._institutions_named(says)
        invested = _IS_STRONG[self._edges.purpose]
        named = self._named != _NO_INSTITUTION
        sold_on = (self._edges.purpose == Purpose.transfer) & (not self._ties)
        by_name = np.where(sold_on, False, not self._licensed) | invested
        self._strong: Bools = says & np.where(named, by_name, invested & (not self._everyday))
        self._weak: Bools = says & ~self._strong & (not self._licensed)
        self._tellers = np.unique(self._payer[self._strong | self._weak])
        counting = self._strong if self._everyday else self._strong | self._weak
        self.most_clients = int(np.unique(self._payer[counting]).size)
        """No more can be found: cheap to ask before who they are."""

    def collected(self) -> Collected:
        """For the institution whose clients are most among the payers; one it is tied to first."""
        found = [self._for(institution_id) for institution_id in self._institutions()]
        if not found:
            found = [self._for(None)]
        return max(found, key=lambda one: (one.clients, one.tied))

    def _institutions_named(self, says: Bools) -> Int32s:
        """Per payment the place among `_names` of the institution whose product it names."""
        self._names: list[str] = []
        named = np.full(len(self._edges), _NO_INSTITUTION, np.int32)
        if not self._edges.product.any():
            return named
        for product in np.unique(self._edges.product[says & (self._edges.product != 0)]).tolist():
            institution_id = self._entities.institution_of_product(product)
            if institution_id is not None:
                if institution_id not in self._names:
                    self._names.append(institution_id)
                named[self._edges.product == product] = self._names.index(institution_id)
        return named

    @cached_property
    def _client_of(self) -> dict[str, Bools]:
        """Which payers, of those that tell, are clients of each institution."""
        client_of: dict[str, Bools] = {}
        if self._entities.registered:
            for place in self._tellers.tolist():
                for institution_id in self._entities.client_of(int(self._payers[place])):
                    if institution_id not in client_of:
                        client_of[institution_id] = np.zeros(self._payers.size, np.bool_)
                    client_of[institution_id][place] = True
        return client_of

    def _institutions(self) -> list[str]:
        named = {name for place, name in enumerate(self._names) if (self._named[self._strong] == place).any()}
        counts = {one: int(np.count_nonzero(clients)) for one, clients in self._client_of.items()}
        foremost = min(counts, key=lambda one: (-counts[one], one), default=None)
        return sorted({*self._ties, *named, *([] if foremost is None else [foremost])})

    def _for(self, institution_id: str | None) -> Collected:
        tied = institution_id in self._ties
        members = self._client_of.get(institution_id or "", np.zeros(self._payers.size, np.bool_))
        concentration_bp = int(np.count_nonzero(members)) * _WHOLE // max(1, self._payers.size)
        chosen = self._strong & self._is_of(institution_id)
        chosen |= self._weak & self._weak_counts(institution_id, tied, members, concentration_bp)[self._payer]
        edges = some_of(self._edges, chosen)
        client, clients = self._entities_behind(self._payer[chosen])
        return Collected(
            institution_id=institution_id,
            edges=edges,
            client=client,
            clients=clients,
            tied=tied,
            strong=int(np.count_nonzero(self._strong[chosen])),
            concentration_bp=concentration_bp,
            unregistered=self._any_unregistered(self._payer[chosen]),
            unstated=bool((edges.purpose == Purpose.unknown).any()),
        )

    def _is_of(self, institution_id: str | None) -> Bools:
        """A strong payment belongs to the institution of its product; to any where it names none."""
        place = self._names.index(institution_id) if institution_id in self._names else _NO_INSTITUTION
        mine: Bools = (self._named == _NO_INSTITUTION) | (self._named == place)
        return mine

    def _weak_counts(
        self, institution_id: str | None, tied: bool, members: Bools, concentration_bp: int
    ) -> Bools:
        """By payer."""
        if institution_id is None:
            return np.full(self._payers.size, not self._entities.registered)
        concentrated = concentration_bp >= self._settings.concentration_bp and not self._everyday
        counts: Bools = members & (tied or concentrated)
        if tied:
            for place in self._tellers[~members[self._tellers]].tolist():
                counts[place] = self._entities.party(int(self._payers[place])) is None
        return counts

    def _entities_behind(self, payers: Int64s) -> tuple[Int64s, int]:
        """A number for the entity behind each payment, and how many there are."""
        places, again = np.unique(payers, return_inverse=True)
        if not self._entities.registered:  # then every account is an entity of its own
            return again, places.size
        numbers: dict[str, int] = {}
        for account in self._payers[places].tolist():
            numbers.setdefault(self._entities.entity(account), len(numbers))
        of_place = [numbers[self._entities.entity(account)] for account in self._payers[places].tolist()]
        return np.array(of_place, np.int64)[again], len(numbers)

    def _any_unregistered(self, payers: Int64s) -> bool:
        if not self._entities.registered:
            return payers.size > 0
        accounts = self._payers[np.unique(payers)].tolist()
        return any(self._entities.party(account) is None for account in accounts)

    def _is_licensed(self) -> bool:
        """It serves an institution that is licensed to lend, guarantee or insure."""
        served = {one.institution_id for one in self._entities.accounts(self._account) if one.institution_id}
        return any(
            licence.business in self._settings.licensed_businesses
            for institution_id in sorted(served)
            for licence in self._entities.licences(institution_id)
        )

    def _fees(self, largest_before: LargestBefore) -> Bools:
        """Fees that are small, or within the filed rate of what the payer had received."""
        edges = self._edges
        fees: Bools = edges.purpose == Purpose.fee
        if self._entities.roles(self._account) & _FEE_ROLES:
            fees |= edges.purpose == Purpose.unknown
        large = fees & (edges.amount_minor > self._settings.small_fee_minor)
        rates = [self._entities.filed_fee_bp(institution_id) or 0 for institution_id in self._ties]
        rate_bp = max(rates, default=0)
        if rate_bp == 0 or not large.any():
            return fees & ~large
        for leg, place in zip(legs_of(edges, large), np.flatnonzero(large).tolist(), strict=True):
            fees[place] = leg.amount_minor * _WHOLE <= rate_bp * largest_before(leg)
        return fees
