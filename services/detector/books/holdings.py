"""Who holds what of each privately raised product: paid in less redeemed and sold, since the log began."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from schemas.alert import EvidenceEdge
from schemas.transaction import Purpose

MAX_HOLDERS: Final = 2_000
"""Of one product; past it further holders are not taken in."""
MAX_PRODUCTS: Final = 5_000
"""Past it the product longest without a movement is forgotten."""

PAYS_IN: Final = frozenset({Purpose.invest, Purpose.recharge, Purpose.transfer, Purpose.unknown})
PAYS_BACK: Final = frozenset({Purpose.redemption, Purpose.refund, Purpose.repay, Purpose.unknown})


class Stake(NamedTuple):
    """`behind`: the accounts whose money it is, where the holder only lends its name. `edge`: the
    payment by which it came to be."""

    minor: int
    behind: tuple[int, ...]
    edge: EvidenceEdge

    def owners(self, holder: int) -> tuple[int, ...]:
        return self.behind or (holder,)


class Holdings:
    """By product and account. A holder who has taken out all is none any more."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, dict[int, Stake]] = OrderedDict()

    def take(
        self, product: str, holder: int, minor: int, edge: EvidenceEdge, behind: Collection[int] = ()
    ) -> None:
        holders = self._holders(product)
        known = holders.get(holder)
        if known is not None:
            behind = {*known.behind, *behind}
            minor, edge = minor + known.minor, known.edge
        elif len(holders) == MAX_HOLDERS:
            return
        holders[holder] = Stake(minor, tuple(sorted(behind)), edge)

    def give(self, product: str, holder: int, minor: int) -> None:
        known = self.of(product).get(holder)
        if known is not None:
            holders = self._holders(product)
            if minor < known.minor:
                holders[holder] = known._replace(minor=known.minor - minor)
            else:
                del holders[holder]

    def of(self, product: str) -> Mapping[int, Stake]:
        return self._of.get(product, {})

    def _holders(self, product: str) -> dict[int, Stake]:
        holders = self._of.setdefault(product, {})
        self._of.move_to_end(product)
        if len(self._of) > MAX_PRODUCTS:
            self._of.popitem(last=False)
        return holders
