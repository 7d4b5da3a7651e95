"""Which products are one: as the registry has them, and as they were seen to pay each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from schemas.registry import Product, ProductKind
from services.detector.typology import Context


class Family:
    """Answers as of one confirmation. `fed_by`: for each product those that were seen to pay into it;
    at most `max_products` are one, and `cut` says that there were more."""

    def __init__(self, context: Context, fed_by: Mapping[str, Collection[str]], max_products: int) -> None:
        self._registry = context.registry
        self._now_us = context.now_us
        self._fed_by = fed_by
        self._max_products = max_products
        self.cut = False

    def upward(self, product: str) -> list[str]:
        """The product and what its money goes into, public funds left out."""
        return self._reached(product, self._into)

    def downward(self, product: str) -> tuple[str, ...]:
        """The product and those merged with it."""
        beside = [product, *self._beside(product)]
        found = dict.fromkeys(one for start in beside for one in self._reached(start, self._from))
        return tuple(found)[: self._max_products]

    def foremost(self, product: str) -> str:
        """Of the products for one borrower by which each is known: the first of its form, by id."""
        record = self._registry.product(product, self._now_us)
        if record is None:
            return product
        found = (self._registry.product(one, self._now_us) for one in self._beside(product))
        same = (one.product_id for one in found if one is not None and one.legal_form is record.legal_form)
        return min((product, *same))

    def _beside(self, product: str) -> list[str]:
        """Those of the same institution for the same borrower."""
        record = self._registry.product(product, self._now_us)
        if record is None or record.borrower_party_id is None:
            return []
        borrowed = self._registry.borrowed_by(record.borrower_party_id, self._now_us)
        return [
            one.product_id
            for one in borrowed
            if one.institution_id == record.institution_id and is_private(one)
        ]

    def _reached(self, product: str, onward: Callable[[str], Iterable[str]]) -> list[str]:
        """The product first, then what is reached from it, nearest first, up to the bound."""
        found = {product: None}
        waiting = deque(found)
        while waiting:
            for one in onward(waiting.popleft()):
                if one not in found and len(found) == self._max_products:
                    self.cut = True
                elif one not in found:
                    found[one] = None
                    waiting.append(one)
        return list(found)

    def _into(self, product: str) -> list[str]:
        record = self._registry.product(product, self._now_us)
        parent = record.parent_product_id if record else None
        paid = sorted(master for master, feeders in self._fed_by.items() if product in feeders)
        return [one for one in ([parent] if parent else []) + paid if not self._is_public(one)]

    def _from(self, product: str) -> list[str]:
        parts = [one.product_id for one in self._registry.parts_of(product, self._now_us)]
        return [one for one in (*parts, *self._fed_by.get(product, ())) if not self._is_public(one)]

    def _is_public(self, product: str) -> bool:
        record = self._registry.product(product, self._now_us)
        return record is not None and not is_private(record)


def is_private(product: Product) -> bool:
    return product.product_kind in (ProductKind.private, ProductKind.vehicle)
