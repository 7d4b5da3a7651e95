"""Whose money is gathered in an account: which of its payers are an institution's clients.

A payment in is *strong* evidence when the feed says that it is an investment or a recharge, or names
an institution's product; *weak* when it says nothing telling; else it is everyday business. Weak
payments count as clients' only where the account is tied to the institution, or where its payers are
so many of that one institution's clients that it is no shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.entities import Entities
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg

STRONG: Final = frozenset({Purpose.invest, Purpose.recharge})
WEAK: Final = frozenset({Purpose.unknown, Purpose.transfer, Purpose.top_up, Purpose.repay, Purpose.fee})
"""A fee is weak evidence only where it is neither small nor filed."""
_FEE_ROLES: Final = frozenset({AccountRole.fee, AccountRole.guarantee})
_WHOLE: Final = 10_000


class Settings(Protocol):
    """The parameters that tell clients' money from everyday business."""

    @property
    def concentration_bp(self) -> int: ...
    @property
    def small_fee_minor(self) -> int: ...
    @property
    def everyday_industries(self) -> tuple[str, ...]: ...
    @property
    def licensed_businesses(self) -> tuple[str, ...]: ...


class Receipts(Protocol):
    """What a payer took in before a leg: a filed fee is a rate of it."""

    def largest_before(self, account: int, leg: Leg) -> int: ...


@dataclass(frozen=True, slots=True)
class Collected:
    """Legs in that are clients' money, and how that is known. `clients`: distinct entities;
    `concentration_bp`: of all paying accounts, those of the institution's clients whose payments say
    nothing else."""

    institution_id: str | None
    legs: tuple[Leg, ...]
    clients: frozenset[str]
    tied: bool
    strong: int
    concentration_bp: int
    unregistered: bool
    unstated: bool


class Collector:
    """One account, and the legs into it of one currency."""

    def __init__(
        self,
        entities: Entities,
        account: int,
        legs: Sequence[Leg],
        settings: Settings,
        receipts: Receipts,
    ) -> None:
        self._entities = entities
        self._settings = settings
        self._receipts = receipts
        self._account = account
        self._ties = entities.ties(account)
        self._everyday = entities.industry(account) in settings.everyday_industries and not self._ties
        self._licensed = self._is_licensed()
        paid_in = [leg for leg in legs if leg.src not in (OUTSIDE_INDEX, account)]
        self._payers = len({leg.src for leg in paid_in})
        telling = [leg for leg in paid_in if leg.purpose in STRONG | WEAK and not self._is_fee(leg)]
        self._strong = [leg for leg in telling if self._is_strong(leg)]
        strong = {leg.seq for leg in self._strong}
        self._weak = [] if self._licensed else [leg for leg in telling if leg.seq not in strong]
        self._telling = sorted({leg.src for leg in (*self._strong, *self._weak)})

    def collected(self) -> Collected:
        """For the institution whose clients are most among the payers; one it is tied to first."""
        found = [self._for(institution_id) for institution_id in self._institutions()]
        if not found:
            found = [self._for(None)]
        return max(found, key=lambda one: (len(one.clients), one.tied))

    def _institutions(self) -> list[str]:
        named = {self._entities.institution_of_product(leg.product) for leg in self._strong if leg.product}
        counts: dict[str, int] = {}
        for account in self._telling:
            for institution_id in self._entities.client_of(account):
                counts[institution_id] = counts.get(institution_id, 0) + 1
        foremost = min(counts, key=lambda one: (-counts[one], one), default=None)
        return sorted({*self._ties, *(one for one in (*named, foremost) if one is not None)})

    def _for(self, institution_id: str | None) -> Collected:
        tied = institution_id in self._ties
        among = sum(institution_id in self._entities.client_of(account) for account in self._telling)
        concentration_bp = among * _WHOLE // max(1, self._payers)
        legs = [leg for leg in self._strong if self._is_of(leg, institution_id)]
        legs += [leg for leg in self._weak if self._weak_counts(leg, institution_id, tied, concentration_bp)]
        strong = {leg.seq for leg in self._strong}
        return Collected(
            institution_id=institution_id,
            legs=tuple(sorted(legs)),
            clients=frozenset(self._entities.entity(leg.src) for leg in legs),
            tied=tied,
            strong=sum(leg.seq in strong for leg in legs),
            concentration_bp=concentration_bp,
            unregistered=any(self._entities.party(leg.src) is None for leg in legs),
            unstated=any(leg.purpose is Purpose.unknown for leg in legs),
        )

    def _is_of(self, leg: Leg, institution_id: str | None) -> bool:
        """A strong leg belongs to the institution of its product; to any where it names none."""
        named = self._entities.institution_of_product(leg.product) if leg.product else None
        return named in (None, institution_id)

    def _weak_counts(self, leg: Leg, institution_id: str | None, tied: bool, concentration_bp: int) -> bool:
        if institution_id is None:
            return not self._entities.registered
        if institution_id in self._entities.client_of(leg.src):
            return tied or (concentration_bp >= self._settings.concentration_bp and not self._everyday)
        return tied and self._entities.party(leg.src) is None

    def _is_strong(self, leg: Leg) -> bool:
        if leg.purpose not in STRONG and leg.purpose not in WEAK:
            return False
        if leg.product and self._entities.institution_of_product(leg.product) is not None:
            return not (self._licensed and leg.purpose not in STRONG)
        return leg.purpose in STRONG and not self._everyday

    def _is_licensed(self) -> bool:
        """It serves an institution that is licensed to lend, guarantee or insure."""
        served = {one.institution_id for one in self._entities.accounts(self._account) if one.institution_id}
        return any(
            licence.business in self._settings.licensed_businesses
            for institution_id in sorted(served)
            for licence in self._entities.licences(institution_id)
        )

    def _is_fee(self, leg: Leg) -> bool:
        """A fee that is small, or within the filed rate of what the payer had received."""
        to_fee_account = bool(self._entities.roles(self._account) & _FEE_ROLES)
        if leg.purpose is not Purpose.fee and not (to_fee_account and leg.purpose is Purpose.unknown):
            return False
        if leg.amount_minor <= self._settings.small_fee_minor:
            return True
        rates = [self._entities.filed_fee_bp(institution_id) or 0 for institution_id in self._ties]
        filed = max(rates, default=0) * self._receipts.largest_before(leg.src, leg)
        return leg.amount_minor * _WHOLE <= filed
