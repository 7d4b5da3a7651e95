"""无证支付、二清: somebody without a payment licence collects from many and settles to many, for a fee.

An account that is not registered to keep others' money, held by a party without a payment licence, takes
money in from at least N payers and pays at least M payees within the window, and what it pays out answers
to what came in less a fee at a steady rate: day by day (settled the same day or up to three days later), by
the order that both payments name as their product, or payment by payment. At least a share of all that it
pays out must answer so. Accounts that hand nearly all they pay out to one other account collect for it: then
what it pays out is compared with what they all took in.

A company that pays suppliers out of its takings has no such steady rate; a marketplace that settles over a
licensed institution never holds the money; an agent that collects or pays for others has filed it. The
accounts of one party are one payee or payer, salaries and taxes are no settlement, and money given back to
payers is taken off what was collected. Currencies are judged apart, by rates only.

Where the feed leaves the purpose out, salaries and refunds are not told from settlement; with no registry
a licensed institution's own settling looks the same, and the low confidence says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Final

import numpy as np

from compiled import Int16s, Int32s
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.books.fee_bounds import Asked, may_answer
from services.detector.books.settlers import Settlers
from services.detector.books.settling import (
    LAGS,
    Fee,
    Part,
    Rates,
    fee_by_payment,
    fee_by_product,
    fees_by_day,
    with_others,
)
from services.detector.explanations.unlicensed_payment import Settled, explanation
from services.detector.gate import Gate
from services.detector.graph import Edges, Payees, Trade
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import legs_of, merged, some_of
from services.detector.parties import marks
from services.detector.parties.agents import is_filed_agent
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEPT_FOR_OTHERS
from services.detector.purposes import bits_of
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
    lacking,
    least,
    parameter,
    shown,
)

_WHOLE: Final = 10_000
_KEEPERS: Final = KEPT_FOR_OTHERS | {AccountRole.product_vehicle}
_KEEPER_MARKS: Final = marks.bits_of(_KEEPERS)
_OTHER_MARKS: Final = marks.bits_of(set(AccountRole) - _KEEPERS)
_NO_TRADE: Final = {Purpose.salary, Purpose.tax, Purpose.repay, Purpose.refund}
_COLLECTED: Final = bits_of(set(Purpose) - _NO_TRADE - {Purpose.disburse})
_SETTLED: Final = bits_of(set(Purpose) - _NO_TRADE - {Purpose.fee})
_GIVEN_BACK: Final = bits_of({Purpose.refund})
_LAST_LAG_US: Final = (max(LAGS) + 1) * DAY


@dataclass(frozen=True, slots=True)
class Parameters:
    """N, M and the fee."""

    window_days: int = parameter(30, "assumption: a month")
    min_payers: int = parameter(20, "assumption: N, more than a family or a circle of friends")
    min_payees: int = parameter(5, "assumption: M")
    min_days: int = parameter(3, "assumption: days settled at one rate; twice may be chance")
    min_payments: int = parameter(20, "assumption: payments or orders settled at one rate, no chance")
    least_fee_bp: int = parameter(1, "assumption: below it is no fee")
    most_fee_bp: int = parameter(500, "assumption: shops pay a few per mille to a few per cent")
    day_spread_bp: int = parameter(10, "assumption: rounding and a few corrections of a day")
    payment_spread_bp: int = parameter(2, "assumption: rounding of one payment")
    passed_on_bp: int = parameter(5_000, "assumption: of what is collected; the last days' is still there")
    handed_on_bp: int = parameter(9_000, "assumption: who hands on so much to one account collects for it")
    max_collectors: int = parameter(10, "bound on the accounts that collect for one")
    settled_share_bp: int = parameter(8_000, "assumption: of all that is paid out")
    payment_businesses: tuple[str, ...] = parameter(
        ("internet_payment", "mobile_payment", "bank_card_acquiring", "prepaid_card", "payment", "banking"),
        "PBoC Order 2010-2 (s): the licences under which others' payments may be settled; banks",
    )
    max_single: int = parameter(100, "bound on the payments out, the newest, that are tried one by one")
    max_legs: int = parameter(2_000, "bound on the transfers of one account each way that are looked at")


class UnlicensedPayment(Typology):
    id = "unlicensed_payment"
    name = Bilingual(zh="无证支付（二清）", en="Payment business without a licence")
    law = (Citation(document="RP", article="二.3.3"),)
    parameters = Parameters
    needs = ("registry.account", "registry.licence", "feed.purpose")
    look_alikes = (
        Bilingual(
            zh="通过持牌机构结算的电商平台", en="a marketplace settling through a licensed institution"
        ),
        Bilingual(zh="代发工资机构", en="a payroll agent"),
        Bilingual(zh="向供应商付款的普通企业", en="an ordinary company that pays its suppliers"),
    )

    def __init__(self) -> None:
        self._payers = Gate(1)
        self._settlers = Settlers()

    def candidates(self, step: Step) -> Candidates:
        """Payments to accounts with enough payers that have had enough payees, or paid one that had."""
        applied = step.applied
        many = least(Parameters, self.id, "min_payees", step)
        collects = self._settlers.take(applied.accounts, applied.src, applied.dst, applied.payees, many)
        collects &= step.inserted & (applied.payers >= least(Parameters, self.id, "min_payers", step))
        rows = collects.nonzero()[0]
        of_payee = step.dst_marks[rows]
        rows = rows[((of_payee & _KEEPER_MARKS) == 0) | ((of_payee & _OTHER_MARKS) != 0)]
        rows = self._payers.passing(rows, applied.dst, applied.payers, applied.clock_us, all_asked=True)
        return Candidates(rows, applied.dst[rows])

    def is_due(self, transfer: Transfer, clock_us: int) -> bool:
        """Once a day, or when a quarter more payers have come."""
        return self._payers.passes(transfer.account, transfer.payers, clock_us)

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        return self.recheck(context, transfer.account)

    def recheck(self, context: Context, account: int) -> Outcome:
        """And again a day later while the account may have more to settle."""
        entities = Entities(context)
        parameters = in_force(Parameters, self.id, context.rules)
        if entities.roles(account) & _KEEPERS:
            return None
        window = _window(context, parameters)
        payees, falls_short = context.graph.traded(account, _trade(parameters), *window)
        accounts: tuple[int, ...] = (account,)
        finding = None
        if not falls_short.too_few:
            own = _own(context, entities, accounts)
            # what goes to its holder's other accounts, or comes from them, is no trade, but among the sums
            if not falls_short.too_little or len(own) > len(accounts):
                finding = _Case(context, entities, accounts, own, parameters).finding()
        settler = None if finding else _foremost_payee(entities, payees, parameters)
        if settler is not None:
            collectors = _collectors(context, entities, account, settler, parameters)
            accounts = tuple(dict.fromkeys((settler, *collectors)))
            payees = context.graph.payees(settler, *window)
            if payees.payees >= parameters.min_payees:
                own = _own(context, entities, accounts)
                finding = _Case(context, entities, accounts, own, parameters).finding()
        is_in_use = payees.latest_us > context.now_us - _LAST_LAG_US  # it may have more to settle
        again = Recheck(account, self._payers.pause(account, context.now_us)) if is_in_use else None
        if finding is None:
            return again
        parties = map(entities.party, accounts)
        may_settle = any(_may_settle(context, entities, party, parameters) for party in parties)
        return again if may_settle else replace(finding, again=again)


def _window(context: Context, parameters: Parameters) -> tuple[int, int, int, int]:
    """Of what the graph is asked."""
    since_us = context.now_us - parameters.window_days * DAY
    return since_us, context.now_us, context.as_of, parameters.max_legs


def _trade(parameters: Parameters) -> Trade:
    p = parameters
    return Trade(_SETTLED, _COLLECTED, p.min_payees, p.min_payers, p.passed_on_bp)


def _accounts_of(context: Context, entities: Entities, account: int) -> list[int]:
    """The accounts of the party that holds `account`; none where the registry does not know it."""
    party = entities.party(account)
    if party is None:
        return []
    tokens = context.registry.accounts_of(party)
    known = (context.graph.index(bytes.fromhex(token)) for token in tokens)
    return [one for one in known if one is not None and entities.entity(one) == entities.entity(account)]


def _own(context: Context, entities: Entities, accounts: tuple[int, ...]) -> list[int]:
    """`accounts` and all others of those who hold them, ascending."""
    others = (_accounts_of(context, entities, one) for one in accounts)
    return sorted({*accounts, *chain.from_iterable(others)})


def _hands_on_to(context: Context, entities: Entities, account: int, parameters: Parameters) -> int | None:
    """Who gets nearly all that the account pays out, if anybody does who keeps no others' money."""
    payees = context.graph.payees(account, *_window(context, parameters))
    return _foremost_payee(entities, payees, parameters)


def _foremost_payee(entities: Entities, payees: Payees, parameters: Parameters) -> int | None:
    payee = payees.foremost
    if not payees.payees or payees.foremost_minor * _WHOLE < parameters.handed_on_bp * payees.minor:
        return None
    return None if payee == OUTSIDE_INDEX or entities.roles(payee) & _KEEPERS else payee


def _collectors(
    context: Context, entities: Entities, account: int, settler: int, parameters: Parameters
) -> tuple[int, ...]:
    """`account` and the others that hand on to `settler`, where few pay it."""
    came = context.graph.edges_in(settler, *_window(context, parameters))
    payers = [one for one in np.unique(came.src).tolist() if one != OUTSIDE_INDEX]
    if len(payers) > parameters.max_collectors:
        return (account,)
    return tuple(
        one
        for one in payers
        if not entities.roles(one) & _KEEPERS and _hands_on_to(context, entities, one, parameters) == settler
    )


def _commonest(currencies: Int16s) -> int:
    counts = np.bincount(currencies)
    return int(counts.argmax()) if counts.size else 0


def _may_settle(context: Context, entities: Entities, party: str | None, parameters: Parameters) -> bool:
    """The party has filed as an agent, or is an institution licensed to settle others' payments."""
    if party is None:
        return False
    for institution_id in context.registry.institutions_tied(party):
        institution = context.registry.institution(institution_id, context.now_us)
        if institution is not None and institution.party_id == party:
            licences = entities.licences(institution_id)
            if any(one.business in parameters.payment_businesses for one in licences):
                return True
    return is_filed_agent(context, party)


class _Case:
    """A month of the account that settles, the first of `accounts`, and of those that collect, it or the
    others, in the currency of most of what it paid out. `own`: all accounts of their holders."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        accounts: tuple[int, ...],
        own: list[int],
        parameters: Parameters,
    ) -> None:
        self._context = context
        self._entities = entities
        self._account = accounts[0]
        self._accounts = accounts
        self._own = own
        self._p = parameters
        self._window = _window(context, parameters)

    def _passes_too_little_on(self, left_minor: int, came_minor: int) -> bool:
        return left_minor * _WHOLE < self._p.passed_on_bp * came_minor

    @cached_property
    def _came_and_left(self) -> tuple[Edges, Edges]:
        """Of the account that settles."""
        graph = self._context.graph
        return graph.edges_in(self._account, *self._window), graph.edges_out(self._account, *self._window)

    @property
    def _paid_out(self) -> Edges:
        return self._came_and_left[1]

    @cached_property
    def _currency(self) -> int:
        return _commonest(self._paid_out.currency)

    def _paid(self, purposes: int, own: Sequence[int]) -> Part:
        return with_others(self._paid_out, True, self._currency, purposes, own)

    @cached_property
    def _left_for_any(self) -> Part:
        """What it settled, with whichever accounts, be they the same holder's."""
        return self._paid(_SETTLED, self._accounts)

    @cached_property
    def _left(self) -> Part:
        has_no_others = len(self._own) == len(self._accounts)
        return self._left_for_any if has_no_others else self._paid(_SETTLED, self._own)

    @cached_property
    def _came(self) -> Part:
        return with_others(self._all_in, False, self._currency, _COLLECTED, self._own)

    @cached_property
    def _all_in(self) -> Edges:
        first, collectors = self._came_and_left[0], self._accounts[1:]
        if not collectors:
            return first
        return merged(first, *(self._context.graph.edges_in(one, *self._window) for one in collectors))

    def finding(self) -> Finding | None:
        p = self._p
        if not self._may_be_steady():
            return None
        if self._left_for_any.others < p.min_payees:
            return None
        left, came = self._left, self._came
        if left.others < p.min_payees or came.others < p.min_payers:
            return None
        if self._passes_too_little_on(left.minor, came.minor):
            return None
        settled = self._settled()
        if settled is None:
            return None
        came_of, left_to = self._parties(came.edges.src), self._parties(left.edges.dst)
        if came_of < p.min_payers or left_to < p.min_payees:
            return None
        return self._found(*settled, came_of, left_to)

    def _may_be_steady(self) -> bool:
        p = self._p
        rates = Rates(10 * p.least_fee_bp, 10 * p.most_fee_bp, 1)
        purposes = (_COLLECTED, _SETTLED, _GIVEN_BACK)
        least = (p.settled_share_bp, p.min_days, p.min_payments)
        asked = Asked(self._currency, *purposes, rates, *least, p.max_single)
        return may_answer(self._all_in, self._paid_out, np.array(self._own, np.int32), asked)

    def _parties(self, accounts: Int32s) -> int:
        return len({self._entities.entity(account) for account in set(accounts.tolist())})

    def _settled(self) -> tuple[str, Fee] | None:
        """The first way in which enough of what was paid out answers to what came in."""
        p, refunded = self._p, self._paid(_GIVEN_BACK, self._own)
        days = Rates(10 * p.least_fee_bp, 10 * p.most_fee_bp, 10 * p.day_spread_bp)
        for fee in fees_by_day(self._came, self._left, refunded, days):
            if self._is_steady(fee, p.min_days):
                return "day", fee
        came, left = self._came.edges, self._left.edges
        fee = fee_by_product(came, left, days)
        if self._is_steady(fee, p.min_payments):
            return "order", fee
        newest = some_of(left, np.arange(len(left)) >= len(left) - p.max_single)
        single = days._replace(spread=10 * p.payment_spread_bp)
        if len(newest) < p.min_payments:
            return None
        fee = fee_by_payment(came, newest, single)
        return ("payment", fee) if self._is_steady(fee, p.min_payments) else None

    def _is_steady(self, fee: Fee, min_pairs: int) -> bool:
        enough = fee.left_minor * _WHOLE >= fee.of_minor * self._p.settled_share_bp
        return enough and fee.pairs >= max(1, min_pairs)

    def _found(self, way: str, fee: Fee, payers: int, payees: int) -> Finding:
        context, came = self._context, self._all_in
        handed_on = np.isin(came.src, self._accounts) & (came.dst == self._account)
        legs = legs_of(merged(self._came.edges, self._left.edges, some_of(came, handed_on)))
        token, currency = context.token(self._account), context.graph.currency(self._currency)
        minor = self._left.minor
        ties = self._entities.ties(self._account)
        missing = self._missing()
        settled = Settled(
            token,
            len(self._accounts) - 1,
            way,
            min(leg.ts_us for leg in legs),
            max(leg.ts_us for leg in legs),
            payers,
            payees,
            self._came.minor,
            minor,
            fee.rate_tenths,
            currency,
        )
        is_cut = self._came.edges.truncated or self._left.edges.truncated
        cut = (Limit(name="legs", bound=self._p.max_legs),) if is_cut else ()
        return Finding(
            subject=Subject(kind=SubjectKind.account, id=token),
            institution_id=ties[0] if ties else None,
            accounts=self._accounts,
            attributed={leg.seq: leg.amount_minor for leg in legs},
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(way, fee, payers, payees, missing),
            severity=(
                factor("rule", 40, "无证经营支付业务", "a payment business needs a licence"),
                by_amount(minor, currency),
            ),
            law=UnlicensedPayment.law,
            parameters=shown(self._p),
            explanation=explanation(settled),
            missing=missing,
            limits=(*cut, *context.limits),
        )

    def _missing(self) -> tuple[str, ...]:
        purposes = np.concatenate((self._came.edges.purpose, self._left.edges.purpose))
        unstated = int((purposes == Purpose.unknown).sum())
        missing = {
            "registry.account": not self._entities.accounts(self._account),
            "registry.licence": not self._context.registry.institutions(self._context.now_us),
            "feed.purpose": 2 * unstated > purposes.size,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(
        self, way: str, fee: Fee, payers: int, payees: int, missing: tuple[str, ...]
    ) -> tuple[Factor, ...]:
        zh, en = f"{payers} 名付款人、{payees} 个收款方", f"{payers} payers, {payees} payees"
        factors = [factor("many", 25, zh, en)]
        zh, en = f"{fee.pairs} 次按同一费率结算", f"settled at one rate {fee.pairs} times"
        factors.append(factor(way, 40, zh, en))
        if payers >= 5 * self._p.min_payers:
            factors.append(factor("crowd", 10, "付款人众多", "very many payers"))
        return (*factors, *lacking(missing))
