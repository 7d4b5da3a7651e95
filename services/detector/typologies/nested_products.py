"""多层嵌套: money passes two or more products between the first investor and the final asset.

A layer is a product with an account of its own (role product_vehicle). Money that one product pays
into another and that the other pays out for an asset has passed both: of what an asset was paid,
first in, first out, what came from another product counts, with the layers before it found over
time-respecting payments between products. Fires at `min_layers` layers and `share_bp` of what the
product paid for assets.

What is no layer: another account of the same product; a feeder in its master, with the feeder filed as
nesting; a public fund that is bought; what a product pays to one registered to invest in it, where the
feed does not say that it invests. A payment out is for an asset when it says that it invests, lends
or buys; where the feed does not say, when it goes neither to a payer of the product, nor to a fee
account, nor to an account that keeps others' money. Accounts that name no product are told apart by
their holder, at a lower confidence. Since 2018-04-27 one further layer is lawful by itself: two
layers then weigh less than three, and still have to be filed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from compiled import Bools
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, FilingKind, ProductKind
from schemas.transaction import Purpose
from services.detector.citing import citations
from services.detector.explanations.nested_products import Nesting, explanation
from services.detector.flows.carrying import Attributed, attribute
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEEPER, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    parameter,
    shown,
)
from services.detector.wording import masked

_WHOLE: Final = 10_000
_VEHICLE: Final = bits_of({AccountRole.product_vehicle})
_NO_ASSET: Final = KEEPER | bits_of({AccountRole.fee})
_STATED: Final = (int(Purpose.invest), int(Purpose.disburse), int(Purpose.purchase))
_UNSTATED: Final = (int(Purpose.transfer), int(Purpose.unknown))
_LEAVES: Final = either(
    sieve(payer=_VEHICLE, not_payee=_VEHICLE, purposes=_STATED + _UNSTATED, facts=Fact.between_two),
    sieve(payer=_VEHICLE, facts=Fact.between_two | Fact.out_of_order),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    min_layers: int = parameter(2, "design/typologies.md: at least two layers")
    lawful_layers: int = parameter(1, "RP 二.2.3: no nesting that escapes the rules")
    articles: tuple[str, ...] = parameter(("RP 二.2.3",), "RP 二.2.3")
    share_bp: int = parameter(1_000, "assumption: a tenth of what the product paid for assets")
    window_days: int = parameter(30, "assumption: from the first layer to the asset")
    max_layers: int = parameter(6, "bound on the layers looked through")
    max_payments: int = parameter(50, "bound on the payments between products that are followed back")
    max_edges: int = parameter(2_000, "bound on the transfers of one account")


class NestedProducts(Typology):
    id = "nested_products"
    name = Bilingual(zh="多层嵌套", en="Nested products")
    law = (
        Citation(document="RP", article="二.2.3"),
        Citation(document="PBOC-2018-106", article="二十二"),
    )
    parameters = Parameters
    needs = ("registry.account", "registry.product", "feed.purpose")
    look_alikes = (Bilingual(zh="已备案的联接产品与母产品", en="feeder and master with a filing"),)

    def candidates(self, step: Step) -> Candidates:
        """Payments for assets out of what was ever a product's account; and payments between two such
        that come out of order, whose money may have been seen to go on."""
        applied = step.applied
        rows = step.passing(_LEAVES)
        onward = (step.dst_marks[rows] & _VEHICLE) != 0
        return Candidates(rows, np.where(onward, applied.dst[rows], applied.src[rows]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        return _Search(context, transfer, parameters).finding()


class _Layer(NamedTuple):
    """A product as an account keeps its money. `named`: the registry says which product it is."""

    key: str
    named: bool
    institution_id: str | None


class _Search:
    """The product whose account is the candidate, what it paid for assets, and whose money that was."""

    def __init__(self, context: Context, transfer: Transfer, parameters: Parameters) -> None:
        self._context = context
        self._entities = Entities(context)
        self._p = parameters
        self._account = transfer.account
        self._currency = transfer.currency
        self._since_us = context.now_us - parameters.window_days * DAY
        self._budget = parameters.max_payments

    def finding(self) -> Finding | None:
        last = self._layer(self._account)
        if last is None:
            return None
        chains = [
            chain
            for chain in self._chains(self._account, self._context.now_us, ())
            if self._depth(chain) >= self._p.min_layers
        ]
        if not chains:
            return None
        nested = self._attributed(chains)
        assets = {
            leg: minor
            for leg, minor in zip(legs_of(nested.edges), nested.carried_minor.tolist(), strict=True)
            if self._is_asset(leg, nested.edges)
        }
        minor, paid = sum(assets.values()), sum(leg.amount_minor for leg in assets)
        if minor == 0 or minor * _WHOLE < self._p.share_bp * paid:
            return None
        chain = max(chains, key=lambda one: (self._depth(one), one[-1].ts_us))
        return self._finding(last, chain, nested, {leg: own for leg, own in assets.items() if own})

    def _layer(self, account: int) -> _Layer | None:
        """The product whose money the account keeps; None: none."""
        for record in self._entities.accounts(account):
            if record.role is AccountRole.product_vehicle:
                key = record.product_id or record.party_id
                return _Layer(key, record.product_id is not None, record.institution_id)
        return None

    def _chains(self, account: int, until_us: int, onward: tuple[Leg, ...]) -> list[tuple[Leg, ...]]:
        """Payments between products that lead to `onward`, oldest first, each no later than the next:
        of those from one payer, the latest one."""
        chains = [onward]
        if len(onward) < self._p.max_layers - 1:
            for leg in self._from_products(account, until_us):
                known = self._layer(leg.src) is not None and leg.src not in {one.dst for one in onward}
                if known and self._budget > 0:
                    self._budget -= 1
                    chains += self._chains(leg.src, leg.ts_us, (leg, *onward))
        return chains

    def _from_products(self, account: int, until_us: int) -> list[Leg]:
        """The latest payment of each product's account, in account order."""
        p, marks = self._p, self._context.marks
        edges = self._context.graph.edges_in(
            account, self._since_us, until_us, self._context.as_of, p.max_edges
        )
        chosen = ((marks[edges.src] & _VEHICLE) != 0) & (edges.currency == self._currency)
        legs = legs_of(edges, chosen & np.isin(edges.purpose, _STATED + _UNSTATED))
        latest = {leg.src: leg for leg in legs if leg.src != account}
        return [latest[src] for src in sorted(latest)]

    def _depth(self, chain: Sequence[Leg]) -> int:
        """Layers that the money passed, the last one included."""
        return 1 + sum(self._crosses(leg) for leg in chain)

    def _crosses(self, leg: Leg) -> bool:
        """It takes money from one layer into another."""
        payer, payee = self._layer(leg.src), self._layer(leg.dst)
        if payer is None or payee is None or payer.key == payee.key:
            return False
        product = self._context.registry.product(payee.key, self._context.now_us)
        if product is not None and product.product_kind is ProductKind.fund:
            return False
        is_return = product is not None and product.parent_product_id == payer.key
        return not (is_return and leg.purpose in _UNSTATED) and not self._is_filed(payer, payee)

    def _is_filed(self, feeder: _Layer, master: _Layer) -> bool:
        filed = (
            filing
            for institution_id in sorted({feeder.institution_id or "", master.institution_id or ""})
            for filing in self._context.registry.filings(
                institution_id, FilingKind.nesting, self._context.now_us
            )
        )
        return any(filing.product_id in (None, feeder.key) for filing in filed)

    def _attributed(self, chains: Sequence[Sequence[Leg]]) -> Attributed:
        """Money that has crossed often enough, through the accounts that it still had to pass."""
        crossings = [self._decisive(chain) for chain in chains]
        entering = sorted(
            {(chain[at].src, chain[at].dst) for chain, at in zip(chains, crossings, strict=True)}
        )
        followed = {leg.dst for chain, at in zip(chains, crossings, strict=True) for leg in chain[at:]}

        def is_origin(edges: Edges) -> Bools:
            origin: Bools = np.zeros(len(edges), np.bool_)
            for src, dst in entering:
                origin |= (edges.src == src) & (edges.dst == dst)
            origin &= np.isin(edges.purpose, _STATED + _UNSTATED)
            return origin

        return attribute(
            self._context, followed, self._since_us, self._currency, is_origin, self._p.max_edges
        )

    def _decisive(self, chain: Sequence[Leg]) -> int:
        """The place of the leg after which `min_layers` layers are passed, seen from the end."""
        crossings = [place for place, leg in enumerate(chain) if self._crosses(leg)]
        return crossings[1 - self._p.min_layers]

    def _is_asset(self, leg: Leg, edges: Edges) -> bool:
        marks = self._context.marks
        if leg.src != self._account or leg.dst == self._account or marks[leg.dst] & _VEHICLE:
            return False
        if leg.purpose in _STATED:
            return True
        if leg.purpose not in _UNSTATED or leg.dst == OUTSIDE_INDEX or marks[leg.dst] & _NO_ASSET:
            return False
        return not bool((edges.src == leg.dst).any())

    def _finding(
        self, last: _Layer, chain: Sequence[Leg], nested: Attributed, assets: dict[Leg, int]
    ) -> Finding:
        context, p = self._context, self._p
        currency, minor, depth = (
            context.graph.currency(self._currency),
            sum(assets.values()),
            self._depth(chain),
        )
        passed = [layer for leg in chain if (layer := self._layer(leg.src)) is not None]
        missing = self._missing([*passed, last], assets)
        through = {leg.seq: min(minor, leg.amount_minor) for leg in chain}
        subject = (SubjectKind.product, last.key)
        if not last.named:
            subject = (SubjectKind.account, context.token(self._account))
        final = max(assets, key=lambda leg: (leg.ts_us, leg.seq))
        nesting = Nesting(
            layers=tuple(dict.fromkeys(one.key for one in (*passed, last))),
            depth=depth,
            first_us=min(leg.ts_us for leg in (*chain, *assets)),
            last_us=final.ts_us,
            minor=minor,
            currency=currency,
            asset=masked(context.token(final.dst)),
            assets=len({leg.dst for leg in assets}),
            lawful_layers=p.lawful_layers,
        )
        cut = (Limit(name="payments", bound=p.max_payments),) if self._budget == 0 else ()
        return Finding(
            subject=Subject(kind=subject[0], id=subject[1]),
            institution_id=last.institution_id,
            accounts=tuple(sorted({self._account, *(leg.src for leg in chain)})),
            attributed=through | {leg.seq: own for leg, own in assets.items()},
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(depth, missing),
            severity=(
                factor("rule", 35, "嵌套规避监管", "nesting that escapes the rules"),
                factor("layers", min(20, 5 * depth), f"共 {depth} 层", f"{depth} layers"),
                by_amount(minor, currency),
            ),
            law=citations(p.articles),
            parameters=shown(p),
            explanation=explanation(nesting),
            missing=missing,
            limits=(*nested.limits, *cut, *context.limits),
        )

    def _missing(self, layers: Sequence[_Layer], assets: Iterable[Leg]) -> tuple[str, ...]:
        missing = {
            "registry.product": not all(layer.named for layer in layers),
            "feed.purpose": any(leg.purpose is Purpose.unknown for leg in assets),
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, depth: int, missing: tuple[str, ...]) -> tuple[Factor, ...]:
        zh, en = f"资金穿过 {depth} 层产品且未备案", f"money passed {depth} products, not filed"
        factors = [factor("layers", 60, zh, en)]
        if depth > self._p.lawful_layers:
            zh, en = (
                f"超过可以嵌套的 {self._p.lawful_layers} 层",
                f"more than the {self._p.lawful_layers} allowed",
            )
            factors.append(factor("beyond", 20, zh, en))
        return (*factors, *lacking(missing))
