"""资金池: clients' money gathered in an account that is not theirs, and held, mixed or passed on.

An account that is neither a client's sub-account nor registered to keep others' money takes money in
from at least N distinct clients within a window, and then either

- holds it: of what clients had paid in more than T ago, more than share r is still there (first in,
  first out), and at least N clients' money is among it; or
- passes it on: it pays at least M receivers with clients' money, and more than a share of what it pays
  answers to no single payment in, by listing or amount.

Clients are counted as parties where the registry knows them, else as accounts; currencies apart. Which
payments are clients' money is flows.collecting's to say. Where the account is tied to an institution, those
that stand in front of it (flows.fronts: shops, say, whose large buyers are the institution's clients and
whose takings go on to it) are one pot with it. With no registry at all every payer is taken for a client: a
busy shop or a wallet that keeps its takings then looks like a pool, and the low confidence and the
explanation say so.

When no client has paid in for some days after a finding, what comes then is a round of collecting of its own:
new money, a new alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from compiled import Bools, Int32s
from schemas.alert import Citation, Factor
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole
from services.detector.books.payers import SPAN_US, Payers
from services.detector.books.rounds import Rounds
from services.detector.explanations.pooling import Pool, explanation
from services.detector.flows.collecting import Collected, is_everyday
from services.detector.flows.fronts import may_pass_on
from services.detector.flows.plain_pots import PlainPot, Rooms
from services.detector.flows.pots import Held, Paid, Pot, in_use
from services.detector.flows.weighing import telling
from services.detector.gate import Gate
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEPT_FOR_OTHERS, TIED, bits_of
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
    together,
)
from services.detector.wording import percent

Rows = npt.NDArray[np.intp]
_WHOLE: Final = 10_000
_COLLECTS_LAWFULLY: Final = KEPT_FOR_OTHERS | {AccountRole.product_vehicle}
"""A product's own account is registered to take its investors' money in; how products are layered and
how many people are in one is services.detector.typologies.nested_products' and investor_limit's."""
_LAWFUL: Final = bits_of(_COLLECTS_LAWFULLY)
_OTHER: Final = bits_of(set(AccountRole) - _COLLECTS_LAWFULLY)
_MAY_BE_TIED: Final = TIED | bits_of(set(AccountRole) - {AccountRole.client, AccountRole.merchant_settlement})
"""Marks one of which any account has that is in an institution's own business or held by a related party."""


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
    quiet_days: int = parameter(7, "assumption: a week without clients' money ends a round of collecting")
    small_fee_minor: int = parameter(100_000, "assumption: CNY 1,000, a fee no deposit would be")
    min_deposit_minor: int = parameter(
        100_000, "assumption: CNY 1,000, more than everyday shopping; to an account in front of another"
    )
    min_front_payers: int = parameter(5, "assumption: a front takes from more than a circle of friends")
    front_passed_bp: int = parameter(5_000, "assumption: most of a front's takings are not its own")
    max_fronts: int = parameter(10, "bound on the payers of one account that may be its fronts")
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
        self._small_fee_minor = 0
        """Fees up to it were left out at some time."""
        self._payers = Gate(1)
        self._payees = Gate(1)
        self._rounds = Rounds()
        self._rooms = Rooms()

    def candidates(self, step: Step) -> Candidates:
        """Receiving accounts with enough payers who could be clients, or with somebody tied to an institution
        whom a front may have paid; and paying ones that had them and now have receivers."""
        into, out_of = self._receiving(step), self._paying(step)
        applied = step.applied
        clock_us = applied.clock_us
        into = self._payers.passing(into, applied.dst, applied.payers, clock_us, all_asked=True)
        out_of = self._payers.any_seen(out_of, applied.src, applied.dst[into])
        out_of = self._payees.passing(out_of, applied.src, applied.payees, clock_us, all_asked=False)
        return together(Candidates(into, applied.dst[into]), Candidates(out_of, applied.src[out_of]))

    def _receiving(self, step: Step) -> Rows:
        applied = step.applied
        min_clients = least(Parameters, self.id, "min_clients", step)
        receives = self._telling_payers(step, min_clients) >= min_clients
        receives[may_pass_on(step, least(Parameters, self.id, "min_deposit_minor", step))] = True
        rows = (receives & step.inserted & (applied.dst > 0)).nonzero()[0]
        return rows[_may_pool(step.dst_marks[rows])]

    def _paying(self, step: Step) -> Rows:
        applied = step.applied
        min_receivers = least(Parameters, self.id, "min_receivers", step)
        return ((applied.payees >= min_receivers) & step.inserted & (applied.src > 0)).nonzero()[0]

    def _telling_payers(self, step: Step, min_clients: int) -> Int32s:
        """Of each row's payee, no fewer than in any window that the rules in force look at; of one that the
        graph knows fewer payers of: none."""
        small_fee_minor = least(Parameters, self.id, "small_fee_minor", step)
        self._small_fee_minor = max(self._small_fee_minor, small_fee_minor)
        payers = self._tellers.count(step.applied, step.inserted, telling(small_fee_minor), min_clients)
        is_longer = greatest(Parameters, self.id, "window_days", step) * DAY > SPAN_US
        return step.applied.payers if is_longer else payers

    def is_due(self, transfer: Transfer, clock_us: int) -> bool:
        account = transfer.account
        if account == transfer.dst:
            return self._payers.passes(account, transfer.payers, clock_us)
        return self._payers.seen(account) and self._payees.passes(account, transfer.payees, clock_us)

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        return self.recheck(context, transfer.account)

    def recheck(self, context: Context, account: int) -> Outcome:
        """While clients' money comes the account is looked at once a day, so that nothing the gates left out
        is missed; and when money will have lain long enough."""
        p = in_force(Parameters, self.id, context.rules)
        entities = Entities(context)
        if not entities.registered:  # nobody has a role or a tie, and a plain pot is soon told
            pot: Pot = PlainPot(context, entities, account, p, self._rooms)
            return self._look(context, entities, account, p, pot)
        if entities.roles(account) & _COLLECTS_LAWFULLY:
            return None
        too_few = self._are_too_few(context, entities, account, p)
        if too_few and not _is_tied(context, entities, account):
            return self._daily(context, account) if in_use(context, account) else None
        pot = Pot(context, entities, account, p)
        if too_few and not pot.fronts:
            return self._daily(context, account) if pot.in_use else None
        return self._look(context, entities, account, p, pot)

    def _look(self, context: Context, entities: Entities, account: int, p: Parameters, pot: Pot) -> Outcome:
        """At a round of collecting: the one that goes on, or a new one."""
        latest = self._rounds.latest(account)
        collected = pot.collected(latest.start_us, latest.last_us)
        if collected is not None:
            first_us, later_us = collected.of.first_us, collected.of.later_us
            current = self._rounds.current(account, first_us, later_us, p.quiet_days * DAY)
            if current.start_us > first_us:
                collected = pot.collected(current.start_us, latest.last_us)
        daily = self._daily(context, account) if pot.in_use else None
        if collected is None:
            return daily
        held, paid = pot.became(collected)
        if held is None and paid is None:
            ripe_us = pot.ripe_us(collected)
            ripe = None if ripe_us is None else Recheck(account, ripe_us)
            return min((one for one in (ripe, daily) if one), key=_at, default=None)
        self._rounds.report(account, collected.of.last_us, current)
        case = _Case(context, entities, account, p, pot, collected)
        return case.finding(held, paid, daily, current.matter)

    def _are_too_few(
        self, context: Context, entities: Entities, account: int, parameters: Parameters
    ) -> bool:
        """Fewer than N have paid the account itself what could make them clients, whoever they are."""
        if parameters.small_fee_minor < self._small_fee_minor:
            return False
        window_us, least_payers = parameters.window_days * DAY, parameters.min_clients
        if self._tellers.at_most(account, context.now_us, window_us) < least_payers:
            return True
        if not is_everyday(entities, account, parameters):
            return False
        return self._tellers.at_most(account, context.now_us, window_us, stated=True) < least_payers

    def _daily(self, context: Context, account: int) -> Recheck:
        return Recheck(account, self._payers.pause(account, context.now_us))


def _may_pool(marks: npt.NDArray[np.uint32]) -> Bools:
    """Not accounts that have only ever been registered to keep others' money."""
    may: Bools = ((marks & _LAWFUL) == 0) | ((marks & _OTHER) != 0)
    return may


def _is_tied(context: Context, entities: Entities, account: int) -> bool:
    """To an institution: then it may be paid through others, and its own payers prove nothing."""
    return bool(context.marks[account] & _MAY_BE_TIED) and bool(entities.ties(account))


class _Case:
    """Clients' money in one pot."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        account: int,
        parameters: Parameters,
        pot: Pot,
        collected: Collected,
    ) -> None:
        self._context = context
        self._entities = entities
        self._account = account
        self._p = parameters
        self._pot = pot
        self._collected = collected

    def finding(self, held: Held | None, paid: Paid | None, again: Recheck | None, matter: str) -> Finding:
        collected, context = self._collected, self._context
        currency, minor = context.graph.currency(collected.currency), collected.of.minor
        missing = self._missing()
        return Finding(
            subject=context.subject(self._account),
            institution_id=collected.institution_id,
            accounts=self._pot.accounts,
            attributed=lambda: self._attributed(paid),
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(held is not None and paid is not None, missing),
            severity=lambda: _severity(collected.of.clients, minor, currency),
            law=Pooling.law,
            parameters=shown(self._p),
            explanation=lambda: explanation(self._told(currency, held, paid)),
            missing=missing,
            limits=self._pot.limits,
            again=again,
            matter=matter,
        )

    def _attributed(self, paid: Paid | None) -> dict[int, int]:
        edges = self._collected.edges
        came = dict(zip(edges.seq.tolist(), edges.amount_minor.tolist(), strict=True))
        return came | self._pot.passed_inside | (paid.carried if paid else {})

    def _told(self, currency: str, held: Held | None, paid: Paid | None) -> Pool:
        context, collected = self._context, self._collected
        roles = sorted(self._entities.roles(self._account))
        return Pool(
            token=context.token(self._account),
            fronts=tuple(context.token(front) for front in self._pot.fronts),
            account_role=roles[0] if roles else None,
            institution_id=collected.institution_id,
            clients=collected.of.clients,
            first_us=collected.of.first_us,
            last_us=collected.of.last_us,
            minor=collected.of.minor,
            currency=currency,
            held_hours=self._p.held_hours,
            held=held,
            paid=paid,
            registered=self._entities.registered,
        )

    def _missing(self) -> tuple[str, ...]:
        collected = self._collected
        unknown = collected.unregistered or not self._entities.accounts(self._account)
        missing = ("registry.account",) if unknown else ()
        if collected.institution_id is None:
            missing = (*missing, "registry.institution")
        return (*missing, "feed.purpose") if collected.of.unstated else missing

    def _confidence(self, is_both: bool, missing: tuple[str, ...]) -> tuple[Factor, ...]:
        collected = self._collected
        of, share_bp = collected.of, collected.concentration_bp
        return _confidence(
            of.clients,
            of.strong * 2 >= of.payments,
            collected.tied,
            share_bp if share_bp >= self._p.concentration_bp else None,
            bool(self._pot.fronts),
            is_both,
            missing,
        )


@lru_cache(maxsize=10_000)
def _confidence(
    clients: int,
    strong: bool,
    tied: bool,
    concentration_bp: int | None,
    fronted: bool,
    is_both: bool,
    missing: tuple[str, ...],
) -> tuple[Factor, ...]:
    """`is_both`: held and paid on."""
    factors = [factor("clients", 40, f"{clients} 名不同客户转入", f"{clients} distinct clients paid in")]
    if strong:
        factors.append(factor("purpose", 20, "用途是投资或充值", "paid in as investments or recharges"))
    if tied:
        factors.append(factor("tie", 25, "账户属于该机构或其关联方", "held by it or a related party"))
    if concentration_bp is not None:
        share = percent(concentration_bp, _WHOLE)
        zh, en = f"付款人中 {share} 是该机构客户", f"{share} of the payers are its clients"
        factors.append(factor("concentration", 10, zh, en))
    if fronted:
        factors.append(factor("fronts", 15, "经由空壳商户归集", "gathered through accounts in front"))
    if is_both:
        factors.append(factor("both", 5, "既滞留又转付", "both held and paid on"))
    return (*factors, *lacking(missing))


def _at(recheck: Recheck) -> int:
    return recheck.at_us


def _severity(clients: int, minor: int, currency: str) -> tuple[Factor, ...]:
    crowd = next(points for least, points in ((1_000, 20), (200, 15), (50, 10), (0, 5)) if clients >= least)
    return (
        factor("rule", 40, "设立资金池是网贷平台的红线", "pooling is a red line for lending platforms"),
        by_amount(minor, currency),
        factor("crowd", crowd, f"涉及 {clients} 名客户", f"{clients} clients are concerned"),
    )
