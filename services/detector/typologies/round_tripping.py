"""资金回流: an amount goes round over others and comes back to whoever had paid it.

A time-respecting cycle of at most K legs returns, within W, at least φ of a payment to the party that made
it (first in, first out through every account on the way), through at least two other parties. The accounts
of one party are one: money between them is no cycle, and it is home when any of them gets it. What the
party that was paid first gives back itself is trade between two, and no cycle either.

Looked for over legs that each carry about as much as the transfer that brings it home, and where that
is large, over fewer legs, whatever these carry.

Firms that trade with each other close a cycle by chance now and then: a single round within W counts only
where nearly all that its legs paid is the amount that went round. What does not count either: refunds and
what a bank undoes, salaries, taxes, instalments and payouts; and no path is drawn through an account that
keeps many people's money. Where the feed names no purpose, a refund over others cannot be told from a cycle:
that lowers the confidence. A round after a quiet week is a matter of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from compiled import Bools, Int32s
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.ascending import joined
from services.detector.explanations.round_tripping import Round, explanation
from services.detector.flows.lending import is_passed
from services.detector.flows.loans import Arrival, arrival
from services.detector.flows.rounds import MAX_ROUNDS, Rounds, Whose
from services.detector.graph import Coming, Departing, Edges, Way
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEEPER
from services.detector.parties.siblings import Siblings
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
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
    throughout,
)
from services.detector.wording import day, percent

_NOT_ROUND: Final = frozenset(
    {
        Purpose.refund,
        Purpose.salary,
        Purpose.tax,
        Purpose.repay,
        Purpose.interest,
        Purpose.redemption,
        Purpose.withdraw,
        Purpose.compensation,
    }
)
"""Neither the first payment of a cycle nor the last has such a purpose."""
_ROUND: Final = sieve(
    not_payer=KEEPER,
    not_payee=KEEPER,
    purposes=set(Purpose) - _NOT_ROUND,
    facts=Fact.known_payer | Fact.known_payee,
)
_MAY_BE_ROUND: Final = ~among(_NOT_ROUND)
_WHOLE: Final = 10_000
_MILLE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """K, W, φ of the catalogue, and the bounds of the search."""

    max_legs: int = parameter(10, "assumption: K")
    window_days: int = parameter(30, "assumption: W")
    share_bp: int = parameter(5_000, "assumption: φ, most of the amount")
    trade_share_bp: int = parameter(
        9_000, "assumption: a round that is not most of all that was paid on its way is chance"
    )
    quiet_days: int = parameter(7, "assumption: a round after a quiet week is a matter of its own")
    min_payment_minor: int = parameter(100_000, "assumption: CNY 1,000; less is small change")
    least_permille: int = parameter(250, "assumption: a leg that carries less of the last one is other money")
    most_permille: int = parameter(4_000, "assumption: and so is one that carries more")
    min_large_minor: int = parameter(5_000_000, "assumption: CNY 50,000, where legs carry whatever they do")
    max_large_legs: int = parameter(5, "bound: K there")
    max_starts: int = parameter(5, "bound on the first payments looked at for one transfer, newest first")
    max_edges: int = parameter(1_000, "bound on the transfers of one search")
    hub_degree: int = parameter(100, "bound: an account with more transfers in the window is not passed")
    max_accounts: int = parameter(100, "bound on the accounts through which money is followed")
    attribution: str = parameter("fifo", "assumption: first in, first out; or pro_rata, lowest_balance")

    @property
    def departing(self) -> Departing:
        return Departing(self.min_payment_minor, _MAY_BE_ROUND, self.window_days * DAY)

    @property
    def ways(self) -> tuple[tuple[int, Way], ...]:
        """How money may come home, each with what the transfer that brings it carries at least."""
        alike = Way(self.max_legs - 1, self.least_permille, self.most_permille)
        least_minor = -(-self.min_payment_minor * _MILLE // self.most_permille)
        return (least_minor, alike), (self.min_large_minor, Way(self.max_large_legs - 1))


class RoundTripping(Typology):
    id = "round_tripping"
    name = Bilingual(zh="资金回流", en="Round-tripping")
    law = (Citation(document="RP", article="二.1.1"), Citation(document="GO", article="十八"))
    parameters = Parameters
    needs = (
        "registry.account",
        "feed.purpose",
    )
    look_alikes = (
        Bilingual(zh="退款与取消的订单", en="refunds and cancelled orders"),
        Bilingual(zh="真实交易对手之间的双向往来", en="two-way trade between real counterparties"),
        Bilingual(zh="本人账户之间的划转", en="a person moving money between own accounts"),
    )

    def __init__(self) -> None:
        self._siblings = Siblings()
        self._rounds = Rounds()

    def candidates(self, step: Step) -> Candidates:
        dst, p = step.applied.dst, throughout(Parameters, self.id, step)
        if p is None:
            rows = step.passing(_ROUND)
            return Candidates(rows, dst[rows])
        alike, large = (self._returning(step, step.passing(_ROUND, minor), p, way) for minor, way in p.ways)
        rows = joined(alike, large)
        return Candidates(rows, dst[rows])

    def _returning(
        self, step: Step, rows: npt.NDArray[np.intp], p: Parameters, way: Way
    ) -> npt.NDArray[np.intp]:
        """Those of `rows` that may bring home money that took such a way."""
        coming = Coming(step.applied.seq[rows], *self._siblings.groups(step, step.applied.dst[rows]))
        return rows[step.graph.returning(coming, p.departing, way, p.max_edges, p.hub_degree)]

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        p, entities = in_force(Parameters, self.id, context.rules), Entities(context)
        if entities.entity(transfer.src) == entities.entity(transfer.dst):
            return None
        homes = self._siblings.groups(transfer.step, np.array([transfer.dst], np.int32))
        search = _Search(context, entities, transfer, p, Coming(np.array([transfer.seq]), *homes))
        whose, found = Whose(search.home, transfer.currency), False
        for start in search.starts():
            trip = None if self._rounds.is_lap_of_other(whose, start.seq) else search.trip(start)
            if trip is not None:
                found |= self._rounds.note(whose, trip, p.quiet_days * DAY)
        if not found:
            return None
        run = self._rounds.run(whose, transfer.ts_us - p.window_days * DAY)
        if len(run.rounds) == 1 and search.is_trade(run.own[-1]):
            return None
        return search.finding(run.own, day(run.began_us))


class _Search:
    """A transfer that may bring an amount home; the accounts of the party it pays are the ends."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        transfer: Transfer,
        parameters: Parameters,
        coming: Coming,
    ) -> None:
        self.parameters = parameters
        self.limits = set[Limit]()
        self._coming = coming
        self._context = context
        self._transfer = transfer
        self._entities = entities
        self.home = self._entities.entity(transfer.dst)
        self._first_paid = ""

    def starts(self) -> list[Leg]:
        """First payments of cycles that the transfer may close, the earliest first: the newest by the party
        whose money may have reached its payer, over legs that carry as much and over fewer that do not."""
        p, transfer = self.parameters, self._transfer
        starts = set[Leg]()
        for least_minor, way in p.ways:
            if transfer.amount_minor >= least_minor:
                edges, limits = self._context.graph.departures(
                    self._coming, p.departing, way, p.max_edges, p.hub_degree
                )
                self.limits |= set(limits)
                starts.update([leg for leg in legs_of(edges) if self._could_start(leg)][-p.max_starts :])
        return sorted(starts)

    @cached_property
    def _homes(self) -> frozenset[int]:
        """Those of the graph's accounts that the party paid holds."""
        party, graph = self._entities.party(self._transfer.dst), self._context.graph
        tokens = self._context.registry.accounts_of(party) if party else ()
        held = (graph.index(bytes.fromhex(token)) for token in tokens)
        theirs = (one for one in held if one and self._entities.entity(one) == self.home)
        return frozenset({self._transfer.dst, *theirs})

    def _are_homes(self, accounts: Int32s) -> Bools:
        """Told one home after the other: a party holds few."""
        are: Bools = np.logical_or.reduce([accounts == home for home in self._homes])
        return are

    def _could_start(self, leg: Leg) -> bool:
        """The party holds its payer and not its payee now, and money may pass there."""
        leaves = leg.src in self._homes and leg.dst not in self._homes
        return leaves and is_passed(self._context, self._entities, leg.dst)

    def trip(self, start: Leg) -> Arrival | None:
        """None: less than φ of the payment came home through two others or more."""
        self._first_paid = self._entities.entity(start.dst)
        return arrival(self._context, self.parameters, (start,), self)

    def legs(self, edges: Edges) -> list[Leg]:
        """Into the party's accounts, from others than who was paid first."""
        into = self._are_homes(edges.dst) & _MAY_BE_ROUND[edges.purpose]
        own = (self.home, self._first_paid)
        return [leg for leg in legs_of(edges, into) if self._entities.entity(leg.src) not in own]

    def counted(self, legs: Sequence[Leg], carried_by: Callable[[Leg], int]) -> dict[int, int]:
        carried = {leg.seq: carried_by(leg) for leg in legs}
        return {seq: minor for seq, minor in carried.items() if minor}

    def is_passed(self, account: int) -> bool:
        return account not in self._homes and is_passed(self._context, self._entities, account)

    def is_trade(self, trip: Arrival) -> bool:
        """It is only a part of what those on its way paid each other."""
        carried = trip.attributed
        paid = sum(leg.amount_minor for leg in legs_of(self._context.graph.edges(carried)))
        return sum(carried.values()) * _WHOLE < self.parameters.trade_share_bp * paid

    def finding(self, trips: Sequence[Arrival], began: str) -> Finding:
        """Of rounds of one run; `began`: the day on which it did."""
        context, latest = self._context, trips[-1]
        attributed: dict[int, int] = {}
        for trip in trips:
            attributed |= trip.attributed
        legs = legs_of(context.graph.edges(latest.attributed))
        accounts = sorted({end for leg in legs for end in (leg.src, leg.dst)})
        others = {self._entities.entity(account) for account in accounts} - {self.home}
        currency = context.graph.currency(self._transfer.currency)
        minor = sum(trip.arrived_minor for trip in trips)
        party = self._entities.party(self._transfer.dst)
        token = context.token(self._transfer.dst)
        kind, subject = (SubjectKind.party, party) if party else (SubjectKind.account, token)
        missing = self._missing(legs)
        limits = self.limits | {limit for trip in trips for limit in trip.limits}
        full = (Limit(name="trips", bound=MAX_ROUNDS),) if len(trips) == MAX_ROUNDS else ()
        return Finding(
            subject=Subject(kind=kind, id=subject),
            institution_id=self._institution(accounts),
            accounts=tuple(accounts),
            attributed=attributed,
            amount_minor=minor,
            currency=currency,
            confidence=(*self._confidence(latest, len(others), len(trips)), *lacking(missing)),
            severity=(
                factor("rule", 30, "资金空转回流", "money that goes round"),
                by_amount(minor, currency),
                factor(
                    "parties", min(15, 3 * len(others)), f"经过 {len(others)} 方", f"{len(others)} others"
                ),
            ),
            law=RoundTripping.law,
            parameters=shown(self.parameters),
            explanation=explanation(
                Round(
                    account=context.token(latest.loan[0].src),
                    others=len(others),
                    trips=len(trips),
                    first_us=min(trip.loan[0].ts_us for trip in trips),
                    minor=minor,
                    currency=currency,
                ),
                latest,
            ),
            missing=missing,
            limits=(*sorted(limits, key=lambda one: one.name), *full, *context.limits),
            matter=began,
        )

    def _institution(self, accounts: Sequence[int]) -> str | None:
        """Whose business or people are among them, the party's own first."""
        for account in (self._transfer.dst, *accounts):
            if ties := self._entities.ties(account):
                return ties[0]
        return None

    def _missing(self, legs: Sequence[Leg]) -> tuple[str, ...]:
        ends = {end for leg in legs for end in (leg.src, leg.dst)}
        missing = {
            "registry.account": any(self._entities.party(account) is None for account in ends),
            "feed.purpose": any(leg.purpose is Purpose.unknown for leg in legs),
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, trip: Arrival, others: int, trips: int) -> Iterator[Factor]:
        share = percent(trip.arrived_minor, trip.disbursed_minor)
        yield factor("returned", 45, f"{share} 回到付款人", f"{share} came back to the payer")
        if trip.arrived_minor * 10 >= trip.disbursed_minor * 9:
            yield factor("most", 15, "几乎全部回流", "nearly all of it")
        if trip.last[-1].ts_us - trip.loan[0].ts_us <= 3 * DAY:
            yield factor("fast", 10, "三天之内回流", "within three days")
        if others > 2:
            yield factor(
                "parties", min(10, 5 * (others - 2)), f"经过 {others} 方", f"through {others} others"
            )
        if trips > 1:
            yield factor("repeated", min(15, 5 * trips), f"共 {trips} 次", f"{trips} times")
