"""挪用备付金: money leaves a payment institution's reserve for what no client asked for.

Out of a reserve account, to a destination outside the classes allowed on that date; or to one that is
allowed only on a client's instruction, without one; or to the institution's filed own-fund account
beyond the fee it has earned.

The fee earned is the filed rate on what was settled. Where the fee was kept out of the amount settled,
that is rate ÷ (1 − rate) of it, which is what is allowed here. A refund goes to somebody who paid into
the institution's reserve at least as much. A public fund's own account is where fund sales pay to.

Whoever got the money is a matter of its own, all accounts of one party together; payees beyond a number
are one matter, of the whole reserve account.

A feed that has never named an instruction is taken not to
carry any: then payments to unregistered accounts are judged by their stated purpose, and where that is
missing too they are a suspicion of low confidence, since nothing says where the money went.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import Account, AccountRole, ProductKind
from schemas.transaction import Purpose
from services.detector.books.reserve_ledger import ReserveLedger
from services.detector.books.stating import Stating
from services.detector.evidence import keep
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.entities import Entities
from services.detector.parties.marks import REGISTERED, RESERVE, TIED, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
from services.detector.typology import (
    NOBODY,
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
from services.detector.wording import amount, day, masked, role

_WHOLE: Final = 10_000
_MAX_VIOLATIONS: Final = 500
_CLIENTS_ORDERS: Final = frozenset(
    {
        Purpose.withdraw,
        Purpose.merchant_settlement,
        Purpose.refund,
        Purpose.purchase,
        Purpose.redemption,
        Purpose.top_up,
    }
)
_OUTSIDE: Final = "outside"
_ORDINARY_PAYEES: Final = frozenset(
    {AccountRole.merchant_settlement, AccountRole.client, AccountRole.external}
)
_ODD: Final = REGISTERED & ~bits_of(_ORDINARY_PAYEES)
"""Marks of a role other than an ordinary payee's."""
_LEAVES: Final = sieve(payer=RESERVE, facts=Fact.between_two)
_ANY_OWNER: Final = frozenset(
    {
        AccountRole.merchant_settlement,
        AccountRole.client,
        AccountRole.clearing_house,
        AccountRole.partner_reserve,
        AccountRole.fund_sales,
    }
)


@dataclass(frozen=True, slots=True)
class Parameters:
    allowed_destinations: tuple[str, ...] = parameter((), "schemas/law has the classes of each period")
    instructed_classes: tuple[str, ...] = parameter(
        ("client", "merchant_settlement", "partner_reserve", "fund_sales", "external", _OUTSIDE),
        "PBoC Order 2021-1 (s): reserves move on clients' instructions; netting and fees need none",
    )
    window_days: int = parameter(30, "assumption: a quiet month ends a matter; how far back a refund looks")
    max_payees: int = parameter(20, "assumption: more payees at once are one matter, not one each")
    fee_period_days: int = parameter(92, "assumption: fees may be taken once a quarter")
    max_edges: int = parameter(2_000, "bound on the payments among which a refund's payer is looked for")


class _Verdict(NamedTuple):
    """What is wrong with one transfer, and how sure that is. `minor`: how much of it."""

    reason: str
    points: int
    minor: int
    related: bool
    missing: tuple[str, ...] = ()


class _Violation(NamedTuple):
    edge: EvidenceEdge
    payee: str
    verdict: _Verdict


_REASONS: Final = {
    "destination": Bilingual(zh="去向不在当日允许的范围内", en="a destination not allowed on that date"),
    "fee": Bilingual(zh="划入备案自有资金账户超过已赚手续费", en="more to its own funds than the fee earned"),
    "instruction": Bilingual(zh="没有客户指令", en="no client's instruction"),
    "unexplained": Bilingual(zh="去向与用途均无从查证", en="neither destination nor purpose can be verified"),
}


class ReserveMisuse(Typology):
    id = "reserve_misuse"
    name = Bilingual(zh="挪用备付金", en="Misuse of clients' reserves")
    law = (
        Citation(document="RP", article="二.3.1"),
        Citation(document="GO", article="十"),
        Citation(document="PBOC-2021-1", article="划转"),
    )
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.fee_rate",
        "feed.instruction",
        "feed.purpose",
        "feed.counterparty",
        "feed.history",
    )
    look_alikes = (
        Bilingual(zh="商户结算", en="merchant settlement"),
        Bilingual(zh="退款给原付款人", en="refunds to the payer"),
        Bilingual(zh="已赚手续费范围内划入备案自有资金账户", en="fees to filed_own within the fee earned"),
    )

    def __init__(self) -> None:
        self._ledger = ReserveLedger()
        self._violations: dict[tuple[int, int], list[_Violation]] = {}
        self._instructing = Stating()

    def candidates(self, step: Step) -> Candidates:
        """Rows out of what was ever a reserve account, less the plain ones: to an ordinary payee who is
        nobody's related party, on a client's instruction."""
        named = step.instructed
        self._instructing.open(step.batch, named)
        rows = step.passing(_LEAVES)
        if not rows.size:
            return NOBODY
        self._ledger.open(step, rows)
        if all(_ordinary_allowed(in_force(Parameters, self.id, rules)) for rules in step.rules):
            rows = rows[~named[rows] | ((step.dst_marks[rows] & (_ODD | TIED)) != 0)]
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        self._ledger.advance(transfer.row)
        if transfer.is_reversal:
            return None
        entities = Entities(context)
        reserves = [one for one in entities.accounts(transfer.src) if one.role is AccountRole.reserve]
        if not reserves or reserves[0].institution_id is None:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        named = self._instructing.has(transfer.feed_id, transfer.row)
        whose = reserves[0].institution_id
        verdict = _Judge(context, entities, transfer, whose, parameters, named, self._ledger).verdict()
        if verdict is None:
            return None
        payee = entities.party(transfer.dst) or context.token(transfer.dst)
        new = _Violation(keep(context, transfer.leg, verdict.minor), payee, verdict)
        violations = self._remember(context, transfer, new, parameters)
        is_one = len({one.payee for one in violations}) <= parameters.max_payees
        told = [one for one in violations if one.payee == payee] if is_one else violations
        return _finding(context, transfer, reserves[0], told, payee if is_one else "", parameters)

    def absorb(self, step: Step) -> None:
        self._ledger.close(step.applied.ts_us.size)
        self._instructing.close()

    def _remember(
        self, context: Context, transfer: Transfer, new: _Violation, parameters: Parameters
    ) -> list[_Violation]:
        """The account's, of payees that had one within the window, this one last; at most _MAX_VIOLATIONS."""
        key = transfer.src, transfer.currency
        since_us = context.now_us - parameters.window_days * DAY
        known = [*self._violations.get(key, ()), new]
        still = {new.payee, *(one.payee for one in known if one.edge.ts >= since_us)}
        recent = [one for one in known if one.payee in still]
        self._violations[key] = recent[-_MAX_VIOLATIONS:]
        return self._violations[key]


@cache
def _ordinary_allowed(parameters: Parameters) -> bool:
    classes = {one.value for one in _ORDINARY_PAYEES - {AccountRole.external}}
    return classes <= set(parameters.allowed_destinations)


class _Judge:
    """One transfer out of a reserve account of `institution_id`."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        transfer: Transfer,
        institution_id: str,
        parameters: Parameters,
        feed_names_instructions: bool,
        ledger: ReserveLedger,
    ) -> None:
        self._context = context
        self._entities = entities
        self._transfer = transfer
        self._institution_id = institution_id
        self._p = parameters
        self._named = feed_names_instructions
        self._ledger = ledger

    def verdict(self) -> _Verdict | None:
        transfer = self._transfer
        if self._is_refund():
            return None
        classes = self._classes()
        if AccountRole.filed_own.value in classes & set(self._p.allowed_destinations):
            return self._fee()
        allowed = classes & {*self._p.allowed_destinations, AccountRole.external.value, _OUTSIDE}
        related = self._entities.is_related(self._institution_id, transfer.dst)
        if not allowed:
            certain = 70 - (20 if transfer.instruction else 0)
            return _Verdict("destination", certain, transfer.amount_minor, related)
        if transfer.instruction or not allowed & set(self._p.instructed_classes):
            return None
        if self._named:
            return _Verdict("instruction", 55, transfer.amount_minor, related, self._unregistered())
        return self._unexplained(allowed, related)

    def _classes(self) -> set[str]:
        """What the destination is to this institution: a role it has for it, or for anybody."""
        if self._transfer.dst == OUTSIDE_INDEX:
            return {_OUTSIDE}
        records = self._entities.accounts(self._transfer.dst)
        classes = {one.role.value for one in records if self._is_for_us(one)}
        if any(self._is_public_fund(one) for one in records):
            classes.add(AccountRole.fund_sales.value)
        others = {f"another's {one.role.value}" for one in records if not self._is_for_us(one)}
        return classes or others or {AccountRole.external.value}

    def _is_for_us(self, record: Account) -> bool:
        in_business = record.institution_id in (None, self._institution_id)
        return in_business or record.role in _ANY_OWNER

    def _is_public_fund(self, record: Account) -> bool:
        product = self._context.registry.product(record.product_id or "", self._context.now_us)
        return product is not None and product.product_kind is ProductKind.fund

    def _is_refund(self) -> bool:
        """To somebody who paid into the institution's reserve at least what goes back, net of earlier
        refunds; without a stated purpose, exactly what one payment had brought."""
        transfer, p = self._transfer, self._p
        if transfer.purpose not in (Purpose.refund, Purpose.unknown) or transfer.dst == OUTSIDE_INDEX:
            return False
        since_us = self._context.now_us - p.window_days * DAY
        window = (since_us, transfer.ts_us, self._context.as_of, p.max_edges)
        paid = self._context.graph.edges_out(transfer.dst, *window)
        came = np.isin(paid.dst, self._reserves()) & (paid.currency == transfer.currency)
        amounts = paid.amount_minor[came]
        if transfer.purpose is Purpose.unknown:
            return bool((amounts == transfer.amount_minor).any())
        back = self._context.graph.edges_in(transfer.dst, *window)
        went = np.isin(back.src, self._reserves()) & (back.currency == transfer.currency)
        went &= back.purpose == Purpose.refund
        return int(back.amount_minor[went].sum()) <= int(amounts.sum())

    def _reserves(self) -> list[int]:
        """The institution's reserve accounts, those of the payer's holder; the payer itself among them."""
        graph, registry = self._context.graph, self._context.registry
        tokens = registry.accounts_of(self._entities.party(self._transfer.src) or "")
        known = (graph.index(bytes.fromhex(token)) for token in tokens)
        return [one for one in known if one and AccountRole.reserve in self._entities.roles(one)]

    def _fee(self) -> _Verdict | None:
        """To the filed own-fund account: within the fee earned and not yet taken."""
        transfer, reserves = self._transfer, self._reserves()
        rate_bp = self._entities.filed_fee_bp(self._institution_id)
        settled = self._ledger.settled(reserves, transfer.currency)
        taken = self._ledger.fees(reserves, transfer.currency)
        earned = settled * (rate_bp or 0) // max(1, _WHOLE - (rate_bp or 0))
        self._ledger.take_fee(transfer.src, transfer.currency, transfer.amount_minor)
        excess = min(transfer.amount_minor, taken + transfer.amount_minor - earned)
        if excess <= 0:
            return None
        missing = [] if rate_bp is not None else ["registry.fee_rate"]
        seen_us = self._context.now_us - self._ledger.since_us(reserves)
        if seen_us < self._p.fee_period_days * DAY:
            missing.append("feed.history")
        return _Verdict("fee", 60, excess, False, tuple(missing))

    def _unexplained(self, classes: set[str], related: bool) -> _Verdict | None:
        """No instruction, on a feed that names none: what else says that a client asked for it?"""
        transfer = self._transfer
        known = classes - {AccountRole.external.value, _OUTSIDE}
        is_client = self._institution_id in self._entities.client_of(transfer.dst)
        if known or is_client or (transfer.purpose in _CLIENTS_ORDERS and not related):
            return None
        missing = ["feed.instruction", *self._unregistered()]
        if transfer.purpose is Purpose.unknown:
            missing.append("feed.purpose")
        if transfer.dst == OUTSIDE_INDEX:
            missing.append("feed.counterparty")
        return _Verdict("unexplained", 40, transfer.amount_minor, related, tuple(missing))

    def _unregistered(self) -> tuple[str, ...]:
        dst = self._transfer.dst
        known = dst == OUTSIDE_INDEX or bool(self._entities.accounts(dst))
        return () if known else ("registry.account",)


def _finding(
    context: Context,
    transfer: Transfer,
    reserve: Account,
    violations: list[_Violation],
    matter: str,
    parameters: Parameters,
) -> Finding:
    currency = context.graph.currency(transfer.currency)
    minor = sum(one.verdict.minor for one in violations)
    missing = sorted({name for one in violations for name in one.verdict.missing})
    full = len(violations) == _MAX_VIOLATIONS
    cut = (Limit(name="violations", bound=_MAX_VIOLATIONS),) if full else ()
    return Finding(
        subject=Subject(kind=SubjectKind.account, id=context.token(transfer.src)),
        institution_id=reserve.institution_id,
        accounts=(transfer.src,),
        attributed={},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(violations),
        severity=(
            factor("rule", 50, "客户备付金不得挪用", "clients' reserves must not be misused"),
            by_amount(minor, currency),
        ),
        law=ReserveMisuse.law,
        parameters=shown(parameters),
        explanation=_explanation(context, transfer, reserve, violations, minor, currency),
        missing=tuple(missing),
        limits=(*cut, *context.limits),
        earlier=tuple(one.edge for one in violations),
        matter=matter,
    )


def _confidence(violations: list[_Violation]) -> tuple[Factor, ...]:
    """Of the surest transfer, more as they repeat."""
    surest = max(violations, key=lambda one: one.verdict.points + 15 * one.verdict.related)
    verdict = surest.verdict
    reason = _REASONS[verdict.reason]
    factors = [factor(verdict.reason, verdict.points, reason.zh, reason.en)]
    if verdict.related:
        factors.append(factor("related", 15, "收款人是机构的关联方", "the payee is a related party"))
    if len(violations) > 1:
        count = len(violations)
        factors.append(factor("repeated", min(15, 3 * count), f"共 {count} 笔", f"{count} transfers"))
    return (*factors, *lacking(verdict.missing))


def _explanation(
    context: Context,
    transfer: Transfer,
    reserve: Account,
    violations: list[_Violation],
    minor: int,
    currency: str,
) -> Bilingual:
    first, last = day(min(one.edge.ts for one in violations)), day(max(one.edge.ts for one in violations))
    total, who = amount(minor, currency), reserve.institution_id
    reasons = sorted({one.verdict.reason for one in violations})
    zh = "；".join(_REASONS[one].zh for one in reasons)
    en = "; ".join(_REASONS[one].en for one in reasons)
    record = None
    if transfer.dst != OUTSIDE_INDEX:
        record = context.registry.account(context.token(transfer.dst), context.now_us, who)
    kind = role(record.role if record else None)
    payee = masked(context.token(transfer.dst))
    latest = amount(violations[-1].verdict.minor, currency)
    return Bilingual(
        zh=(
            f"{first} 至 {last}，支付机构 {who} 的备付金账户有 {len(violations)} 笔付出存在问题，"
            f"共 {total}：{zh}。"
            f"最近一笔 {latest} 付往{kind.zh} {payee}。备付金是客户的钱，只能用于客户委托的支付，"
            "挪用违反整治方案二.3.1。"
        ),
        en=(
            f"From {first} to {last}, {len(violations)} transfers out of the reserve account of payment"
            f" institution {who}, {total} in all, raise doubts: {en}. The latest, {latest}, went to the"
            f" {kind.en} {payee}. Reserves are clients' money and serve only payments that clients ordered;"
            " RP 二.3.1 forbids any other use."
        ),
    )
