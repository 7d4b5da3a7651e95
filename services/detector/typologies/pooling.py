"""资金池: clients' money gathered in an account that is not theirs, and held, mixed or passed on.

An account that is neither a client's sub-account nor registered to keep others' money takes money in
from at least N distinct clients within a window, and then either

- holds it: of what clients had paid in more than T ago, more than share r is still there (first in,
  first out), and at least N clients' money is among it; or
- passes it on: it pays at least M receivers with clients' money, and more than a share of what it pays
  answers to no single payment in, by listing or amount.

Clients are counted as parties where the registry knows them, else as accounts; currencies apart. Which
payments are clients' money is services.detector.collecting's to say. With no registry at all every payer
is taken for a client: a busy shop or a wallet that keeps its takings then looks like a pool, and the low
confidence and the explanation say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.attribution import Attribution, fifo
from services.detector.collecting import STRONG, WEAK, Collected, Collector
from services.detector.entities import Entities
from services.detector.gate import Gate
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.kernel import Bools, Int32s
from services.detector.legs import Leg, in_order, legs_of
from services.detector.marks import KEEPER, KEPT_FOR_OTHERS, OTHER
from services.detector.matching import unmatched_minor
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
    in_force,
    least,
    parameter,
    shown,
)
from services.detector.wording import amount, day, masked, percent, role

_WHOLE: Final = 10_000
_TELLING: Final = tuple(int(purpose) for purpose in STRONG | WEAK)
_EXPENSES: Final = frozenset({Purpose.salary, Purpose.tax})


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
        self._payers = Gate(1)
        self._payees = Gate(1)

    def candidates(self, step: Step) -> Candidates:
        """Receiving accounts with enough payers, and paying ones that had them and now have receivers."""
        applied = step.applied
        clocks = applied.clock_us
        min_clients = least(Parameters, self.id, "min_clients", step)
        min_receivers = least(Parameters, self.id, "min_receivers", step)
        open_in = step.inserted & (applied.dst > 0) & (applied.payers >= min_clients)
        open_in &= _may_pool(step, applied.dst)
        open_in &= self._payers.passing(applied.dst, applied.payers, clocks)
        known = self._payers.any_seen(applied.src) | np.isin(applied.src, applied.dst[open_in])
        open_out = step.inserted & (applied.src > 0) & (applied.payees >= min_receivers) & known
        open_out &= self._payees.passing(applied.src, applied.payees, clocks)
        rows = np.concatenate((np.flatnonzero(open_in), np.flatnonzero(open_out)))
        accounts = np.concatenate((applied.dst[open_in], applied.src[open_out]))
        order = np.argsort(rows, kind="stable")
        return Candidates(rows[order], accounts[order])

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
        if entities.roles(account) & KEPT_FOR_OTHERS:
            return None
        case = _Case(context, entities, account, parameters)
        pause_us = self._payers.pause(account, context.now_us) if case.in_use else None
        return case.outcome(pause_us)


def _telling_payers(edges: Edges) -> int:
    """Payers whose purpose could make them clients: never fewer than the clients there are."""
    return int(np.unique(edges.src[np.isin(edges.purpose, _TELLING)]).size)


def _may_pool(step: Step, accounts: Int32s) -> Bools:
    """Not accounts that have only ever been registered to keep others' money."""
    may: Bools = (step.marks[accounts] & (KEEPER | OTHER)) != KEEPER
    return may


@dataclass(frozen=True, slots=True)
class _Receipts:
    """The largest payment to a payer before its fee: what the fee may be a rate of."""

    context: Context
    since_us: int

    def largest_before(self, account: int, leg: Leg) -> int:
        edges = self.context.graph.edges_in(account, self.since_us, leg.ts_us, self.context.as_of, 100)
        same = edges.amount_minor[edges.currency == leg.currency]
        return int(same.max(initial=0))


@dataclass(frozen=True, slots=True)
class _Held:
    """What is still there of the clients' money that came in more than T ago."""

    clients: int
    matured_minor: int
    held_minor: int


@dataclass(frozen=True, slots=True)
class _Paid:
    """What was paid on with clients' money. `legs`: those transfers."""

    receivers: int
    minor: int
    unmatched_minor: int
    legs: tuple[Leg, ...]


class _Case:
    """One account as it stands at one moment."""

    def __init__(self, context: Context, entities: Entities, account: int, parameters: Parameters) -> None:
        self._context = context
        self._entities = entities
        self._account = account
        self._p = parameters
        since_us = context.now_us - parameters.window_days * DAY
        window = (account, since_us, context.now_us, context.as_of, parameters.max_legs)
        edges_in, edges_out = context.graph.edges_in(*window), context.graph.edges_out(*window)
        truncated = edges_in.truncated or edges_out.truncated
        cut = (Limit(name="legs", bound=parameters.max_legs),) if truncated else ()
        self._limits = cut + context.graph.limits
        newest_us = max(int(edges.ts_us.max(initial=0)) for edges in (edges_in, edges_out))
        self.in_use = newest_us > context.now_us - DAY
        """Money moved in the last day."""
        self._collected: Collected | None = None
        if _telling_payers(edges_in) >= parameters.min_clients:
            self._collect(legs_of(edges_in), legs_of(edges_out), _Receipts(context, since_us))

    def _collect(self, legs_in: Sequence[Leg], legs_out: Sequence[Leg], receipts: _Receipts) -> None:
        """Clients' money in the one currency in which most clients paid."""
        gathered = {}
        for currency in sorted({leg.currency for leg in legs_in}):
            legs = [leg for leg in legs_in if leg.currency == currency]
            collector = Collector(self._entities, self._account, legs, self._p, receipts)
            gathered[currency] = collector.collected()
        self._currency = max(gathered, key=lambda one: (len(gathered[one].clients), -one))
        self._collected = gathered[self._currency]
        self._legs = in_order(leg for leg in (*legs_in, *legs_out) if leg.currency == self._currency)

    def outcome(self, pause_us: int | None) -> Outcome:
        """`pause_us`: when to look again in any case."""
        collected = self._collected
        daily = None if pause_us is None else Recheck(self._account, pause_us)
        if collected is None or len(collected.clients) < self._p.min_clients:
            return daily
        money = fifo(self._legs, {leg.seq for leg in collected.legs}, {self._account})
        held, paid = self._held(collected, money), self._paid(collected, money)
        is_held = (
            held.clients >= self._p.min_clients
            and held.held_minor * _WHOLE > self._p.retained_share_bp * held.matured_minor
        )
        is_paid = (
            paid.receivers >= self._p.min_receivers
            and paid.unmatched_minor * _WHOLE > self._p.unmatched_share_bp * paid.minor
        )
        if is_held or is_paid:
            finding = self._finding(collected, money, held if is_held else None, paid if is_paid else None)
            return replace(finding, again=daily)
        return min((one for one in (self._ripe(collected), daily) if one), key=_at, default=None)

    def _held(self, collected: Collected, money: Attribution) -> _Held:
        before_us = self._context.now_us - self._p.held_hours * HOUR
        matured = [leg for leg in collected.legs if leg.ts_us < before_us]
        left = money.held_of(self._account)
        return _Held(
            clients=len({self._entities.entity(leg.src) for leg in matured}),
            matured_minor=sum(leg.amount_minor for leg in matured),
            held_minor=sum(left.get(leg.seq, 0) for leg in matured),
        )

    def _paid(self, collected: Collected, money: Attribution) -> _Paid:
        own = self._entities.entity(self._account)
        legs = tuple(
            leg
            for leg in self._legs
            if leg.src == self._account
            and leg.dst != OUTSIDE_INDEX
            and leg.purpose not in _EXPENSES
            and money.carried(leg.seq)
            and self._entities.entity(leg.dst) != own
        )
        return _Paid(
            receivers=len({self._entities.entity(leg.dst) for leg in legs}),
            minor=sum(leg.amount_minor for leg in legs),
            unmatched_minor=unmatched_minor(collected.legs, legs, self._p.match_tolerance_bp),
            legs=legs,
        )

    def _ripe(self, collected: Collected) -> Recheck | None:
        """When N clients' money will have lain longer than T; after that, when the last of it will."""
        first: dict[str, int] = {}
        for leg in collected.legs:
            first.setdefault(self._entities.entity(leg.src), leg.ts_us)
        enough_us = sorted(first.values())[self._p.min_clients - 1]
        held_us = self._p.held_hours * HOUR
        for start_us in (enough_us, collected.legs[-1].ts_us):
            due_us = start_us + held_us + 1
            if due_us > self._context.now_us:
                return Recheck(self._account, due_us)
        return None

    def _finding(
        self, collected: Collected, money: Attribution, held: _Held | None, paid: _Paid | None
    ) -> Finding:
        attributed = {leg.seq: leg.amount_minor for leg in collected.legs}
        for leg in paid.legs if paid else ():
            attributed[leg.seq] = money.carried(leg.seq)
        minor = sum(leg.amount_minor for leg in collected.legs)
        currency = self._context.graph.currency(self._currency)
        return Finding(
            subject=Subject(kind=SubjectKind.account, id=self._context.token(self._account)),
            institution_id=collected.institution_id,
            accounts=(self._account,),
            attributed=attributed,
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(collected, held, paid),
            severity=_severity(len(collected.clients), minor, currency),
            law=Pooling.law,
            parameters=shown(self._p),
            explanation=self._explanation(collected, minor, currency, held, paid),
            missing=self._missing(collected),
            limits=self._limits,
        )

    def _missing(self, collected: Collected) -> tuple[str, ...]:
        unknown = not self._entities.accounts(self._account) or collected.unregistered
        missing = {
            "registry.account": unknown,
            "registry.institution": collected.institution_id is None,
            "feed.purpose": collected.unstated,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, collected: Collected, held: _Held | None, paid: _Paid | None) -> tuple[Factor, ...]:
        count, strong = len(collected.clients), collected.strong * 2 >= len(collected.legs)
        lacking = len(self._missing(collected))
        share = percent(collected.concentration_bp, _WHOLE)
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
        if lacking:
            factors.append(factor("missing", -10 * lacking, "缺少部分数据", "some data is missing"))
        return tuple(factors)

    def _explanation(
        self, collected: Collected, minor: int, currency: str, held: _Held | None, paid: _Paid | None
    ) -> Bilingual:
        first, last = collected.legs[0].ts_us, collected.legs[-1].ts_us
        roles = sorted(self._entities.roles(self._account))
        kind = role(roles[0] if roles else None)
        short, total = masked(self._context.token(self._account)), amount(minor, currency)
        count, who = len(collected.clients), collected.institution_id
        zh = [
            f"{day(first)} 至 {day(last)}，{count} 名不同客户"
            + (f"（机构 {who} 的客户）" if who else "（机构未知）")
            + f"向{kind.zh} {short} 转入共 {total}。该账户既不是客户子账户，也不是登记的存管账户。"
        ]
        en = [
            f"From {day(first)} to {day(last)}, {count} distinct clients"
            + (f" of institution {who}" if who else " of no known institution")
            + f" paid {total} into the {kind.en} {short}, which is neither a client's sub-account nor a"
            " registered custody account."
        ]
        if held is not None:
            share = percent(held.held_minor, held.matured_minor)
            zh.append(f"超过 {self._p.held_hours} 小时前转入的资金仍有 {share} 滞留其中。")
            en.append(f"Of what came in more than {self._p.held_hours} hours ago, {share} is still there.")
        if paid is not None:
            share = percent(paid.unmatched_minor, paid.minor)
            zh.append(f"账户又向 {paid.receivers} 个收款方付出资金，其中 {share} 与任何一笔转入都对不上。")
            en.append(
                f"It paid on to {paid.receivers} receivers; {share} of that answers to no single payment in."
            )
        zh.append("客户资金被汇集、混用，构成资金池嫌疑，违反《互联网金融风险专项整治工作实施方案》二.1.1。")
        en.append(
            "Client money gathered and mixed is a pool, which the rectification plan forbids (RP 二.1.1)."
        )
        if not self._entities.registered:
            zh.append("没有登记数据：收款频繁的普通商户也可能呈现同样形状。")
            en.append("There is no registry: a busy shop may have the same shape.")
        return Bilingual(zh="".join(zh), en=" ".join(en))


def _at(recheck: Recheck) -> int:
    return recheck.at_us


def _severity(clients: int, minor: int, currency: str) -> tuple[Factor, ...]:
    crowd = next(points for least, points in ((1_000, 20), (200, 15), (50, 10), (0, 5)) if clients >= least)
    return (
        factor("rule", 40, "设立资金池是网贷平台的红线", "pooling is a red line for lending platforms"),
        by_amount(minor, currency),
        factor("crowd", crowd, f"涉及 {clients} 名客户", f"{clients} clients are concerned"),
    )
