"""Loans of a platform as they move: which transfer disburses investors' money, for which listing."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, direct, kernel
from schemas.registry import AccountRole, Product
from schemas.transaction import Purpose
from services.detector.graph import Edges
from services.detector.legs import Leg
from services.detector.parties.entities import OWN_MONEY, Entities
from services.detector.parties.marks import CUSTODY, KEPT_FOR_OTHERS, bits_of
from services.detector.purposes import bits_of as purpose_bits
from services.detector.typology import Context

NOT_PASSED: Final = KEPT_FOR_OTHERS - {AccountRole.client}
"""Roles in which money of many lies together: no path is drawn through such an account."""
NOT_PASSED_MARKS: Final = bits_of(NOT_PASSED)
"""Where no version of the registry ever gave an account any of these, paths may be drawn through it."""

_UNSTATED: Final = frozenset({Purpose.unknown, Purpose.transfer})
_DISBURSED_BIT: Final = purpose_bits({Purpose.disburse})
_UNSTATED_BITS: Final = purpose_bits(_UNSTATED)


class Listing(NamedTuple):
    """What one disbursement was for. `product_id` is None where nobody names it: then the loan is
    known by its borrower's account alone. `stated`: the feed says that it is a disbursement."""

    institution_id: str
    product_id: str | None
    borrower: int
    currency: int
    stated: bool


def is_passed(context: Context, entities: Entities, account: int) -> bool:
    """A path may be drawn through it. The registry is not asked where no version ever gave it such a role."""
    if not context.marks[account] & NOT_PASSED_MARKS:
        return True
    return entities.roles(account).isdisjoint(NOT_PASSED)


class Lending:
    def __init__(self, context: Context, entities: Entities) -> None:
        self._context = context
        self._entities = entities

    def listing(self, leg: Leg) -> Listing | None:
        """The listing that `leg` disburses investors' money for; None: it is no such thing.

        Where the feed does not say "disburse", a payment from a platform's custody account to a
        registered borrower of one of its listings counts.
        """
        stated = leg.purpose is Purpose.disburse
        if not stated and leg.purpose not in _UNSTATED:
            return None
        if not self._entities.roles(leg.src).isdisjoint(OWN_MONEY):
            return None
        product_id = self._context.graph.product(leg.product) or None
        institution_id = self._institution(leg, product_id)
        if not stated and not self._is_borrower(leg, product_id, institution_id):
            return None
        if institution_id is None or not self._entities.is_platform(institution_id):
            return None
        return Listing(institution_id, product_id, leg.dst, leg.currency, stated)

    def could_disburse(self, edges: Edges) -> Bools:
        """Which of them might be a listing's: all that are, and few others."""
        could = np.empty(len(edges), np.bool_)
        _find_disbursements(edges.records, self._context.marks, could)
        return could

    def borrower_party(self, listing: Listing) -> str | None:
        """As the registry of products has it, else the holder of the account that was paid."""
        product = self._product(listing.product_id)
        return (product.borrower_party_id if product else None) or self._entities.party(listing.borrower)

    def missing(self, listing: Listing) -> tuple[str, ...]:
        """What is not known of it, of feed and registry."""
        missing = {
            "feed.purpose": not listing.stated,
            "feed.product": listing.product_id is None,
            "registry.product": bool(listing.product_id) and self._product(listing.product_id) is None,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _institution(self, leg: Leg, product_id: str | None) -> str | None:
        product = self._product(product_id)
        if product is not None:
            return product.institution_id
        served = sorted(
            {one.institution_id for one in self._entities.accounts(leg.src) if one.institution_id}
        )
        return served[0] if served else None

    def _is_borrower(self, leg: Leg, product_id: str | None, institution_id: str | None) -> bool:
        party = self._entities.party(leg.dst)
        if party is None or AccountRole.custody not in self._entities.roles(leg.src):
            return False
        borrowed = self._context.registry.borrowed_by(party, self._context.now_us)
        return any(
            one.institution_id == institution_id and product_id in (None, one.product_id) for one in borrowed
        )

    def _product(self, product_id: str | None) -> Product | None:
        if product_id is None:
            return None
        return self._context.registry.product(product_id, self._context.now_us)


@kernel
def find_disbursements(edges: Array, marks: Array, could: Bools) -> None:
    """Which say that they are disbursements, or say nothing and come from where custody was ever kept."""
    for row in range(edges.size):
        purpose = edges[row].purpose
        unstated = _UNSTATED_BITS >> purpose & 1 != 0 and marks[edges[row].src] & CUSTODY != 0
        could[row] = _DISBURSED_BIT >> purpose & 1 != 0 or unstated


_find_disbursements: Final = direct(find_disbursements)
