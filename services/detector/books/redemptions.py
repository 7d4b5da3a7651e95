"""What a payment institution has received from funds for redemptions, and what it paid out before.

For each institution and currency, by product: money that arrived and is not yet paid out, or payouts that
no money that had arrived covers, the oldest first; never both. A payout or arrival that names no product
is held under "", which any product's payout may draw on, as a payout without one may on any product's
money. At most `max_products` products and `max_open` uncovered payouts a product are kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from schemas.alert import EvidenceEdge

UNNAMED: Final = ""


@dataclass(slots=True)
class Advanced:
    """A payout, and how much of it is still uncovered."""

    edge: EvidenceEdge
    minor: int


@dataclass(slots=True)
class _Product:
    arrived_minor: int = 0
    open: deque[Advanced] = field(default_factory=deque)


class Redemptions:
    """Of one institution in one currency."""

    def __init__(self, max_products: int, max_open: int) -> None:
        self._max_products = max_products
        self._max_open = max_open
        self._products: dict[str, _Product] = {}
        self.is_cut = False
        """A bound has made it forget something."""

    def arrive(self, product: str, minor: int) -> None:
        """First it covers what was paid out before."""
        held = self._of(product)
        while held.open and minor:
            first = held.open[0]
            covered = min(first.minor, minor)
            first.minor -= covered
            minor -= covered
            if first.minor == 0:
                held.open.popleft()
        held.arrived_minor += minor

    def pay(self, product: str, edge: EvidenceEdge) -> None:
        """From its own product's money, then from what named none; without a product, from any."""
        left = edge.amount_minor
        sources = (product, UNNAMED) if product else (UNNAMED, *self._products)
        for source in sources:
            held = self._products.get(source)
            if held is not None:
                taken = min(left, held.arrived_minor)
                held.arrived_minor -= taken
                left -= taken
        if left:
            uncovered = self._of(product).open
            uncovered.append(Advanced(edge, left))
            if len(uncovered) > self._max_open:
                uncovered.popleft()
                self.is_cut = True

    def advanced(self, product: str) -> list[Advanced]:
        """The uncovered payouts, the oldest first."""
        held = self._products.get(product)
        return list(held.open) if held else []

    def _of(self, product: str) -> _Product:
        held = self._products.setdefault(product, _Product())
        if len(self._products) > self._max_products:
            del self._products[next(one for one in self._products if one != product)]
            self.is_cut = True
        return held
