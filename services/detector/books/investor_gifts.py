"""What a platform and its related companies give investors on top of what a listing pays, by listing."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple, Protocol

from schemas.instant import DAY
from schemas.registry import AccountRole, FilingKind, PartyKind
from schemas.transaction import Purpose
from services.detector.books.allowances import Allowances
from services.detector.books.listings import Listings
from services.detector.books.loan_flows import HOUSE
from services.detector.legs import Leg
from services.detector.parties.entities import Entities
from services.detector.typology import Context, Transfer

_MAX_LISTINGS: Final = 20_000
"""Listings with gifts; past it the one least lately given to is forgotten."""
_MAX_GIFTS: Final = 500
"""Of one listing; past it the first are forgotten."""


class Gift(NamedTuple):
    """`minor`: how much of it counts as return."""

    leg: Leg
    minor: int


class Settings(Protocol):
    @property
    def small_gift_minor(self) -> int: ...
    @property
    def min_rewarded(self) -> int: ...
    @property
    def window_days(self) -> int: ...
    @property
    def max_legs(self) -> int: ...


class Gifts:
    """By product, as they were given."""

    def __init__(self) -> None:
        self._of: OrderedDict[int, list[Gift]] = OrderedDict()
        self._allowed = Allowances()

    def counted(self, context: Context, product: int, settings: Settings) -> list[Gift]:
        """Those of the platform; those of a related company where it paid enough of the listing's clients."""
        gifts = self._of.get(product, ())
        paid: dict[int, set[int]] = {}
        for gift in gifts:
            paid.setdefault(gift.leg.src, set()).add(gift.leg.dst)
        return [
            gift
            for gift in gifts
            if gift.minor
            and (context.marks[gift.leg.src] & HOUSE or len(paid[gift.leg.src]) >= settings.min_rewarded)
        ]

    def give(self, context: Context, transfer: Transfer, settings: Settings) -> int:
        """Note what of a gift counts; the listing it counts for, 0: none."""
        entities = Entities(context)
        product = transfer.product or _last_invested(context, transfer.dst, settings)
        platform = Listings(context, entities).platform(product, transfer.src)
        if platform is None or product == 0:
            return 0
        filings = context.registry.filings(platform, FilingKind.subsidy, context.now_us)
        is_small = not filings and transfer.amount_minor <= settings.small_gift_minor
        minor = 0 if is_small else transfer.amount_minor
        for filing in filings:
            minor = self._allowed.excess(filing, entities.entity(transfer.dst), minor, transfer.ts_us)
        gifts = self._of.get(product, [])
        if transfer.product and any(gift.leg.dst == transfer.dst for gift in gifts):
            minor = transfer.amount_minor
            gifts[:] = [
                gift._replace(minor=gift.leg.amount_minor) if gift.leg.dst == transfer.dst else gift
                for gift in gifts
            ]
        self._note(product, Gift(transfer.leg, minor))
        return product if minor > 0 else 0

    def reward(self, context: Context, transfer: Transfer, settings: Settings) -> int:
        """The listing that a related company's payment to a client counts for, 0: none. Of those he invested
        in, that for which it paid most others."""
        entities = Entities(context)
        party, giver = entities.party(transfer.dst), entities.party(transfer.src)
        record = context.registry.party(giver, context.now_us) if giver else None
        ties = [one for one in entities.ties(transfer.src) if one in entities.client_of(transfer.dst)]
        if party is None or not ties or entities.is_related(ties[0], transfer.dst):
            return 0
        if record is None or record.party_kind is not PartyKind.company:
            return 0
        graph, found = context.graph, []
        held = (graph.index(bytes.fromhex(token)) for token in context.registry.accounts_of(party))
        for account in sorted(one for one in held if one):
            if ties[0] in entities.served(account, {AccountRole.client}):
                found += _invested(context, account, settings)
        if not found:
            return 0
        rewarded = [sum(gift.leg.src == transfer.src for gift in self._of.get(one, ())) for one in found]
        product = found[max(range(len(found)), key=lambda place: (rewarded[place], place))]
        self._note(product, Gift(transfer.leg, transfer.amount_minor))
        return product

    def _note(self, product: int, gift: Gift) -> None:
        gifts = self._of.setdefault(product, [])
        gifts.append(gift)
        self._of.move_to_end(product)
        if len(self._of) > _MAX_LISTINGS:
            self._of.popitem(last=False)
        del gifts[:-_MAX_GIFTS]


def _last_invested(context: Context, client: int, settings: Settings) -> int:
    invested = _invested(context, client, settings)
    return invested[-1] if invested else 0


def _invested(context: Context, client: int, settings: Settings) -> list[int]:
    """The products in which the client invested within the window, in order."""
    since_us = context.now_us - settings.window_days * DAY
    edges = context.graph.edges_out(client, since_us, context.now_us, context.as_of, settings.max_legs)
    found: list[int] = edges.product[(edges.purpose == Purpose.invest) & (edges.product > 0)].tolist()
    return found
