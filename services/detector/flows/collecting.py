"""Whose money is gathered in an account: which of its payers are an institution's clients.

Strong evidence (services.detector.flows.weighing) counts as it is. Weak payments count as clients' only where
the account is tied to the institution, or where its payers are so many of that one institution's clients that
it is no shop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, NamedTuple, Protocol

import numpy as np

from compiled import Array, Bools, Int32s, Int64s
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.distinct import numbered, numbers_for
from services.detector.flows.weighing import (
    NO_INSTITUTION,
    NOBODY,
    WEIGHED,
    Asked,
    Gathered,
    Rule,
    gather,
    weigh,
)
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import some_of
from services.detector.parties.entities import Entities

_FEE_ROLES: Final = frozenset({AccountRole.fee, AccountRole.guarantee})
_WHOLE: Final = 10_000
_NO_MINOR: Final = np.iinfo(np.int64).max
"""Nobody is paid so much at once."""
_NOT_NAMED: Final = np.empty(0, np.int32)
_NOT_FILED: Final = np.empty(0, np.bool_)


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


def is_everyday(entities: Entities, account: int, settings: Settings) -> bool:
    """Of no institution, and in a trade that many people pay: only strong evidence counts."""
    if not entities.registered or entities.ties(account):
        return False
    return entities.industry(account) in settings.everyday_industries


PaidBefore = Callable[[Array, Int64s], Bools]
"""The payers of which of some payments had been paid so much at once before: a filed fee is a rate of it."""


class Collected(NamedTuple):
    """Payments in that are clients' money, and how that is known. `client`: of each of `came` the number of
    the entity behind it, NOBODY where it is not clients' money in the `currency`; `concentration_bp`: of all
    paying accounts, those of the institution's clients whose payments say nothing else."""

    institution_id: str | None
    currency: int
    came: Edges
    client: Int32s
    of: Gathered
    tied: bool
    concentration_bp: int
    unregistered: bool

    @property
    def edges(self) -> Edges:
        return some_of(self.came, self.is_clients)

    @property
    def is_clients(self) -> Bools:
        is_clients: Bools = self.client != NOBODY
        return is_clients


class Collector:
    """One account, and the payments into it that are `asked` about and in one currency; others among `edges`
    are left alone."""

    def __init__(
        self,
        entities: Entities,
        account: int,
        edges: Edges,
        asked: Asked,
        currency: int,
        settings: Settings,
        paid_before: PaidBefore,
    ) -> None:
        self._entities = entities
        self._settings = settings
        self._edges = edges
        self._asked = asked
        self._ties = entities.ties(account)
        self._everyday = is_everyday(entities, account, settings)
        self._rule = Rule(
            account,
            currency,
            settings.small_fee_minor,
            settings.min_deposit_minor,
            bool(self._ties),
            self._everyday,
            self._is_licensed(account),
            not entities.roles(account).isdisjoint(_FEE_ROLES),
        )
        self._paid_before = paid_before
        self._names: list[str] = []
        self._named = self._institutions_named() if self._everyday else _NOT_NAMED
        self._filed_fees = _NOT_FILED
        self.most_clients = self._weigh()
        """No more can be found: cheap to ask before who they are."""

    def leave_out_filed_fees(self) -> None:
        """Fewer may be found then."""
        self._filed_fees = self._filed()
        if self._filed_fees.any():
            self.most_clients = self._weigh()

    def collected(self) -> Collected:
        """For the institution whose clients are most among the payers; one it is tied to first."""
        if not self._everyday:  # where all evidence counts, names make none of it more
            self._named = self._institutions_named()
            if self._names:
                self._weigh()
        found = [self._for(institution_id) for institution_id in self._institutions()]
        return max(found, key=lambda one: (one.of.clients, one.tied)) if found else self._for_none()

    def _weigh(self) -> int:
        records = self._edges.records
        numbers, weighed = numbers_for(records.size), np.zeros(records.size, WEIGHED)
        rule, first = self._rule, self._asked.first
        telling = weigh(records, first, rule, self._named, self._filed_fees, numbers, weighed)
        self._weighed = weighed
        self._payers: Int32s = weighed["account"][: numbered(numbers)]
        self._payer: Int32s = weighed["payer"]
        self._strong: Bools = weighed["strong"]
        self._weak: Bools = weighed["weak"]
        return telling

    def _institutions_named(self) -> Int32s:
        """Per payment the place among `_names` of the institution whose product it names."""
        products = self._edges.product
        if not np.count_nonzero(products):
            return _NOT_NAMED
        named = np.full(products.size, NO_INSTITUTION, np.int32)
        for product in np.unique(products[products != 0]).tolist():
            institution_id = self._entities.institution_of_product(product)
            if institution_id is not None:
                if institution_id not in self._names:
                    self._names.append(institution_id)
                named[products == product] = self._names.index(institution_id)
        return named

    @cached_property
    def _tellers(self) -> list[int]:
        """The numbers of the payers whose payments are evidence."""
        return self._payers_of(self._strong | self._weak)

    def _payers_of(self, chosen: Bools) -> list[int]:
        """Their numbers, ascending. A payment that is evidence has a payer."""
        numbers: list[int] = np.flatnonzero(np.bincount(self._payer[chosen])).tolist()
        return numbers

    @cached_property
    def _client_of(self) -> dict[str, Bools]:
        """Which payers, of those that tell, are clients of each institution."""
        client_of: dict[str, Bools] = {}
        if self._entities.registered:
            for number in self._tellers:
                for institution_id in self._entities.client_of(int(self._payers[number])):
                    if institution_id not in client_of:
                        client_of[institution_id] = np.zeros(self._payers.size, np.bool_)
                    client_of[institution_id][number] = True
        return client_of

    def _institutions(self) -> list[str]:
        if not self._names and not self._entities.registered:
            return []
        named = {name for place, name in enumerate(self._names) if (self._named[self._strong] == place).any()}
        counts = {one: int(np.count_nonzero(clients)) for one, clients in self._client_of.items()}
        foremost = min(counts, key=lambda one: (-counts[one], one), default=None)
        return sorted({*self._ties, *named, *([] if foremost is None else [foremost])})

    def _for_none(self) -> Collected:
        """Of no institution: with no registry every payer is taken for somebody's client."""
        strong = self._strong & self._is_of(None)
        chosen = strong if self._entities.registered else strong | self._weak
        return self._collected(None, chosen, False, 0)

    def _for(self, institution_id: str) -> Collected:
        tied = institution_id in self._ties
        members = self._client_of.get(institution_id, np.zeros(self._payers.size, np.bool_))
        concentration_bp = int(np.count_nonzero(members)) * _WHOLE // max(1, self._payers.size)
        chosen = self._strong & self._is_of(institution_id)
        chosen |= self._weak & self._weak_counts(tied, members, concentration_bp)[self._payer]
        return self._collected(institution_id, chosen, tied, concentration_bp)

    def _collected(
        self, institution_id: str | None, chosen: Bools, tied: bool, concentration_bp: int
    ) -> Collected:
        number, unregistered = self._entities_behind(chosen)
        client, has_paid = np.empty(chosen.size, np.int32), np.zeros(number.size, np.bool_)
        records, weighed = self._edges.records, self._weighed
        gathered = Gathered(*gather(records, weighed, chosen, number, self._asked, client, has_paid))
        return Collected(
            institution_id,
            self._rule.currency,
            self._edges,
            client,
            gathered,
            tied,
            concentration_bp,
            unregistered,
        )

    def _is_of(self, institution_id: str | None) -> Bools | bool:
        """A strong payment belongs to the institution of its product; to any where it names none."""
        if not self._names:
            return True
        place = self._names.index(institution_id) if institution_id in self._names else NO_INSTITUTION
        mine: Bools = (self._named == NO_INSTITUTION) | (self._named == place)
        return mine

    def _weak_counts(self, tied: bool, members: Bools, concentration_bp: int) -> Bools:
        """By payer."""
        concentrated = concentration_bp >= self._settings.concentration_bp and not self._everyday
        counts: Bools = members & (tied or concentrated)
        if tied:
            for number in (one for one in self._tellers if not members[one]):
                counts[number] = self._entities.party(int(self._payers[number])) is None
        return counts

    def _entities_behind(self, chosen: Bools) -> tuple[Int32s, bool]:
        """By payer the number of the entity behind him, and whether the registry does not know one of their
        accounts."""
        if not self._entities.registered:  # then every account is an entity of its own
            return np.arange(self._payers.size, dtype=np.int32), bool(chosen.any())
        numbers = self._payers_of(chosen)
        entities = [self._entities.entity(int(self._payers[number])) for number in numbers]
        places = {entity: place for place, entity in enumerate(dict.fromkeys(entities))}
        of_payer = np.full(self._payers.size, NOBODY, np.int32)
        of_payer[numbers] = [places[entity] for entity in entities]
        known = (self._entities.party(int(self._payers[number])) is not None for number in numbers)
        return of_payer, not all(known)

    def _is_licensed(self, account: int) -> bool:
        """It serves an institution that is licensed to lend, guarantee or insure."""
        served = {one.institution_id for one in self._entities.accounts(account) if one.institution_id}
        return any(
            licence.business in self._settings.licensed_businesses
            for institution_id in sorted(served)
            for licence in self._entities.licences(institution_id)
        )

    def _filed(self) -> Bools:
        """Which are fees within the filed rate of what the payer had received; small ones are not asked."""
        if not self._ties:
            return _NOT_FILED
        rates = [self._entities.filed_fee_bp(institution_id) or 0 for institution_id in self._ties]
        rate_bp = max(rates, default=0)
        if rate_bp == 0:
            return _NOT_FILED
        edges, rule = self._edges, self._rule
        filed: Bools = edges.purpose == Purpose.fee
        if rule.takes_fees:
            filed |= edges.purpose == Purpose.unknown
        filed &= (edges.amount_minor > rule.small_fee_minor) & (edges.currency == rule.currency)
        filed &= (edges.src != OUTSIDE_INDEX) & (edges.dst == rule.account)
        fees = edges.records.take(np.flatnonzero(filed))
        filed[filed] = self._paid_before(fees, _paid_for(fees["amount_minor"], rate_bp))
        return filed


def _paid_for(fees_minor: Int64s, rate_bp: int) -> Int64s:
    """The least of which each is a fee at that rate, or at a lower one; _NO_MINOR where that is more."""
    whole, rest = np.divmod(fees_minor, rate_bp)
    least = whole * _WHOLE + -(-rest * _WHOLE // rate_bp)
    return np.where(whole < _NO_MINOR // _WHOLE, least, _NO_MINOR)
