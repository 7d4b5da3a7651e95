"""资金池: clients' money gathered in an account that is not theirs, and held, mixed or passed on.

An account that is neither a client's sub-account nor registered to keep others' money takes money in
from at least N distinct clients within a window, and then either

- holds it: of what clients had paid in more than T ago, more than share r is still there (first in,
  first out), and at least N clients' money is among it; or
- passes it on: it pays at least M receivers with clients' money, and more than a share of what it pays
  answers to no single payment in, by listing or amount.

Clients are counted as parties where the registry knows them, else as accounts; currencies apart. Which
payments are clients' money is flows.collecting's to say. With no registry at all every payer
is taken for a client: a busy shop or a wallet that keeps its takings then looks like a pool, and the low
confidence and the explanation say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.books.payers import SPAN_US, Payers
from services.detector.explanations.pooling import Held, Paid, Pool, explanation
from services.detector.flows.attribution import Carried, Payments, carry
from services.detector.flows.collecting import Collected, Collector, telling
from services.detector.flows.matching import unmatched_minor
from services.detector.gate import Gate
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.kernel import Bools, Int32s, Int64s
from services.detector.legs import Leg, legs_of, merged, some_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEPT_FOR_OTHERS, bits_of
from services.detector.severity import by_amount
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Recheck,
    Step,
    Transfer,
    Typology,
    factor,
    greatest,
    in_force,
    lacking,
    least,
    parameter,
    shown,
)
from services.detector.wording import percent

_WHOLE: Final = 10_000
_EXPENSES: Final = (int(Purpose.salary), int(Purpose.tax))
_ANY_LEGS: Final = 2**30
_COLLECTS_LAWFULLY: Final = KEPT_FOR_OTHERS | {AccountRole.product_vehicle}
"""A product's own account is registered to take its investors' money in; how products are layered and
how many people are in one is services.detector.typologies.nested_products' and investor_limit's."""
_LAWFUL: Final = bits_of(_COLLECTS_LAWFULLY)
_OTHER: Final = bits_of(set(AccountRole) - _COLLECTS_LAWFULLY)


@dataclass(frozen=True, slots=True)
class Parameters:
    """N, r, T, M of the catalogue, and what tells a pool from a shop."""

    window_days: int = parameter(30, "assumption: a month of collecting")
    min_clients: int = parameter(20, "assumption: N, more than a family or a circle of friends")
    retained_share_bp: int = parameter(2_000, "assumption: r")
    held_hours: int = parameter(48, "assumption: T, past next-day settlement and a bank holiday")
    min_receivers: int = parameter(5, "assumption: M")
    unmatched_share_bp: int = parameter(2_000, "assumption: an agent passes on nearly all one to one")
    match_tolerance_bp: int = parameter(100, "assumption: an agent keeps at most one per cent")
    concentration_bp: int = parameter(6_000, "assumption: a shop's buyers are many institutions' clients")
    small_fee_minor: int = parameter(100_000, "assumption: CNY 1,000, a fee no deposit would be")
    everyday_industries: tuple[str, ...] = parameter(
        tuple("ADEFGHIKOPQRS"), "GB/T 4754 sections that many people pay: trade, utilities, rent, tax, …"
    )
    licensed_businesses: tuple[str, ...] = parameter(
        ("consumer_lending", "microlending", "banking", "financing_guarantee", "insurance", "trust"),
        "assumption: licences under which borrowers and the insured pay in",
    )
    max_legs: int = parameter(5_000, "bound on the transfers of one account that are looked at")


class Pooling(Typology):
    id = "pooling"
    name = Bilingual(zh="资金池", en="Pooling of client money")
    law = (Citation(document="RP", article="二.1.1"),)
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.institution",
        "registry.relation",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(zh="顾客众多的商户", en="a shop with many buyers"),
        Bilingual(zh="代发工资", en="payroll"),
        Bilingual(zh="水电燃气与税款", en="utilities and tax"),
        Bilingual(zh="收取小额手续费的账户", en="the fee account taking small fees"),
        Bilingual(zh="存管总账户", en="the custody main account"),
        Bilingual(zh="持牌放贷机构的借款人还款", en="a licensed lender's borrowers repaying it"),
    )

    def __init__(self) -> None:
        self._tellers = Payers()
        self._payers = Gate(1)
        self._payees = Gate(1)

    def candidates(self, step: Step) -> Candidates:
        """Receiving accounts with enough payers who could be clients, and paying ones that had them and
        now have receivers."""
        applied = step.applied
        clocks = applied.clock_us
        min_clients = least(Parameters, self.id, "min_clients", step)
        min_receivers = least(Parameters, self.id, "min_receivers", step)
        open_in = step.inserted & (applied.dst > 0) & (applied.payers >= min_clients)
        open_in &= self._telling_payers(step) >= min_clients
        open_in &= _may_pool(step, applied.dst)
        open_in &= self._payers.passing(applied.dst, applied.payers, clocks)
        known = self._payers.any_seen(applied.src) | np.isin(applied.src, applied.dst[open_in])
        open_out = step.inserted & (applied.src > 0) & (applied.payees >= min_receivers) & known
        open_out &= self._payees.passing(applied.src, applied.payees, clocks)
        rows = np.concatenate((np.flatnonzero(open_in), np.flatnonzero(open_out)))
        accounts = np.concatenate((applied.dst[open_in], applied.src[open_out]))
        order = np.argsort(rows, kind="stable")
        return Candidates(rows[order], accounts[order])

    def _telling_payers(self, step: Step) -> Int32s:
        """Of each row's payee, no fewer than in any window that the rules in force look at."""
        applied = step.applied
        says = step.inserted & telling(applied.purpose)
        payers = self._tellers.count(applied.src, applied.dst, says, applied.clock_us)
        is_longer = greatest(Parameters, self.id, "window_days", step) * DAY > SPAN_US
        return applied.payers if is_longer else payers

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        account = transfer.account
        if account == transfer.dst:
            passes = self._payers.passes(account, transfer.payers, context.now_us)
        else:
            seen = self._payers.seen(account)
            passes = seen and self._payees.passes(account, transfer.payees, context.now_us)
        return self.recheck(context, account) if passes else None

    def recheck(self, context: Context, account: int) -> Outcome:
        """While the account is in use it is looked at once a day, so that nothing the gates left out is
        missed; and when money will have lain long enough."""
        parameters = in_force(Parameters, self.id, context.rules)
        entities = Entities(context)
        if entities.roles(account) & _COLLECTS_LAWFULLY:
            return None
        case = _Case(context, entities, account, parameters)
        pause_us = self._payers.pause(account, context.now_us) if case.in_use else None
        return case.outcome(pause_us)


def _may_pool(step: Step, accounts: Int32s) -> Bools:
    """Not accounts that have only ever been registered to keep others' money."""
    marks = step.marks[accounts]
    may: Bools = ((marks & _LAWFUL) == 0) | ((marks & _OTHER) != 0)
    return may


class _Case:
    """One account as it stands at one moment."""

    def __init__(self, context: Context, entities: Entities, account: int, parameters: Parameters) -> None:
        self._context = context
        self._entities = entities
        self._account = account
        self._p = parameters
        self._since_us = context.now_us - parameters.window_days * DAY
        window = (account, self._since_us, context.now_us, context.as_of, parameters.max_legs)
        edges_in, edges_out = context.graph.edges_in(*window), context.graph.edges_out(*window)
        truncated = edges_in.truncated or edges_out.truncated
        cut = (Limit(name="legs", bound=parameters.max_legs),) if truncated else ()
        self._limits = cut + context.graph.limits
        newest_us = max(int(edges.ts_us[-1]) for edges in (edges_in, edges_out) if len(edges))
        self.in_use = newest_us > context.now_us - DAY
        """Money moved in the last day."""
        self._collected: Collected | None = None
        if np.unique(edges_in.src[telling(edges_in.purpose)]).size >= parameters.min_clients:
            self._collect(edges_in, edges_out)

    def _collect(self, edges_in: Edges, edges_out: Edges) -> None:
        """Clients' money in the one currency in which most clients paid."""
        gathered = {}
        for currency in np.unique(edges_in.currency).tolist():
            edges = some_of(edges_in, edges_in.currency == currency)
            collector = Collector(self._entities, self._account, edges, self._p, self._largest_before)
            if collector.most_clients >= self._p.min_clients:
                gathered[currency] = collector.collected()
        if not gathered:
            return
        self._currency = max(gathered, key=lambda one: (gathered[one].clients, -one))
        self._collected = gathered[self._currency]
        both = merged(edges_in, edges_out)
        self._edges = some_of(both, both.currency == self._currency)

    def _largest_before(self, leg: Leg) -> int:
        """The largest payment to a payer before its fee: what the fee may be a rate of."""
        graph, as_of = self._context.graph, self._context.as_of
        edges = graph.edges_in(leg.src, self._since_us, leg.ts_us, as_of, 100)
        same = edges.amount_minor[edges.currency == leg.currency]
        return int(same.max(initial=0))

    def outcome(self, pause_us: int | None) -> Outcome:
        """`pause_us`: when to look again in any case."""
        collected = self._collected
        daily = None if pause_us is None else Recheck(self._account, pause_us)
        if collected is None or collected.clients < self._p.min_clients:
            return daily
        clients_money = np.isin(self._edges.seq, collected.edges.seq)
        carried = self._follow(clients_money)
        held = self._held(collected, carried.held[clients_money])
        paid = self._paid(collected, carried.by_legs)
        if held is not None or paid is not None:
            return self._finding(collected, held, paid, daily)
        return min((one for one in (self._ripe(collected), daily) if one), key=_at, default=None)

    def _follow(self, clients_money: Bools) -> Carried:
        """First in, first out through the account."""
        payer = np.where(self._edges.src == self._account, np.int32(0), np.int32(-1))
        payee = np.where(self._edges.dst == self._account, np.int32(0), np.int32(-1))
        return carry(Payments(payer, payee, self._edges.amount_minor, clients_money), 1, _ANY_LEGS)

    def _held(self, collected: Collected, left_minor: Int64s) -> Held | None:
        """Of the clients' money in, `left_minor` is still there; None: not enough of it, or not of
        enough clients."""
        matured = collected.edges.ts_us < self._context.now_us - self._p.held_hours * HOUR
        held = Held(
            clients=int(np.unique(collected.client[matured]).size),
            matured_minor=int(collected.edges.amount_minor[matured].sum()),
            held_minor=int(left_minor[matured].sum()),
        )
        is_held = held.held_minor * _WHOLE > self._p.retained_share_bp * held.matured_minor
        return held if is_held and held.clients >= self._p.min_clients else None

    def _paid(self, collected: Collected, carried: Int64s) -> Paid | None:
        """Of every payment, `carried` was clients' money; None: to too few, or it is all accounted for."""
        edges, own = self._edges, self._entities.entity(self._account)
        out = (edges.src == self._account) & (edges.dst != OUTSIDE_INDEX) & (carried > 0)
        for purpose in _EXPENSES:
            out &= edges.purpose != purpose
        payees = np.unique(edges.dst[out]).tolist()
        for account in (one for one in payees if self._entities.entity(one) == own):
            out &= edges.dst != account
        receivers = len({self._entities.entity(account) for account in payees} - {own})
        if receivers < self._p.min_receivers:
            return None
        minor = int(edges.amount_minor[out].sum())
        legs_in, legs_out = legs_of(collected.edges), legs_of(edges, out)
        unmatched = unmatched_minor(legs_in, legs_out, self._p.match_tolerance_bp)
        if unmatched * _WHOLE <= self._p.unmatched_share_bp * minor:
            return None
        by_seq = dict(zip(edges.seq[out].tolist(), carried[out].tolist(), strict=True))
        return Paid(receivers, minor, unmatched, by_seq)

    def _ripe(self, collected: Collected) -> Recheck | None:
        """When N clients' money will have lain longer than T; after that, when the last of it will."""
        _, first = np.unique(collected.client, return_index=True)
        enough_us = int(np.sort(collected.edges.ts_us[first])[self._p.min_clients - 1])
        held_us = self._p.held_hours * HOUR
        for start_us in (enough_us, int(collected.edges.ts_us[-1])):
            due_us = start_us + held_us + 1
            if due_us > self._context.now_us:
                return Recheck(self._account, due_us)
        return None

    def _finding(
        self, collected: Collected, held: Held | None, paid: Paid | None, again: Recheck | None
    ) -> Finding:
        edges = collected.edges
        attributed = dict(zip(edges.seq.tolist(), edges.amount_minor.tolist(), strict=True))
        pool = self._pool(collected, held, paid)
        return Finding(
            subject=Subject(kind=SubjectKind.account, id=pool.token),
            institution_id=collected.institution_id,
            accounts=(self._account,),
            attributed=attributed | (paid.carried if paid else {}),
            amount_minor=pool.minor,
            currency=pool.currency,
            confidence=self._confidence(collected, held, paid),
            severity=_severity(collected.clients, pool.minor, pool.currency),
            law=Pooling.law,
            parameters=shown(self._p),
            explanation=explanation(pool),
            missing=self._missing(collected),
            limits=self._limits,
            again=again,
        )

    def _pool(self, collected: Collected, held: Held | None, paid: Paid | None) -> Pool:
        roles = sorted(self._entities.roles(self._account))
        return Pool(
            token=self._context.token(self._account),
            account_role=roles[0] if roles else None,
            institution_id=collected.institution_id,
            clients=collected.clients,
            first_us=int(collected.edges.ts_us[0]),
            last_us=int(collected.edges.ts_us[-1]),
            minor=int(collected.edges.amount_minor.sum()),
            currency=self._context.graph.currency(self._currency),
            held_hours=self._p.held_hours,
            held=held,
            paid=paid,
            registered=self._entities.registered,
        )

    def _missing(self, collected: Collected) -> tuple[str, ...]:
        unknown = not self._entities.accounts(self._account) or collected.unregistered
        missing = {
            "registry.account": unknown,
            "registry.institution": collected.institution_id is None,
            "feed.purpose": collected.unstated,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, collected: Collected, held: Held | None, paid: Paid | None) -> tuple[Factor, ...]:
        count, strong = collected.clients, collected.strong * 2 >= len(collected.edges)
        factors = [factor("clients", 40, f"{count} 名不同客户转入", f"{count} distinct clients paid in")]
        if strong:
            factors.append(factor("purpose", 20, "用途是投资或充值", "paid in as investments or recharges"))
        if collected.tied:
            factors.append(factor("tie", 25, "账户属于该机构或其关联方", "held by it or a related party"))
        if collected.concentration_bp >= self._p.concentration_bp:
            share = percent(collected.concentration_bp, _WHOLE)
            zh, en = f"付款人中 {share} 是该机构客户", f"{share} of the payers are its clients"
            factors.append(factor("concentration", 10, zh, en))
        if held is not None and paid is not None:
            factors.append(factor("both", 5, "既滞留又转付", "both held and paid on"))
        return (*factors, *lacking(self._missing(collected)))


def _at(recheck: Recheck) -> int:
    return recheck.at_us


def _severity(clients: int, minor: int, currency: str) -> tuple[Factor, ...]:
    crowd = next(points for least, points in ((1_000, 20), (200, 15), (50, 10), (0, 5)) if clients >= least)
    return (
        factor("rule", 40, "设立资金池是网贷平台的红线", "pooling is a red line for lending platforms"),
        by_amount(minor, currency),
        factor("crowd", crowd, f"涉及 {clients} 名客户", f"{clients} clients are concerned"),
    )
