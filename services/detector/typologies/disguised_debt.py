"""明股实债: a crowdfunded project's backers are paid like lenders, not like shareholders.

The backers of an equity project get at least `min_payments` payments of the same ratio to what they put
in, at the same intervals; or two such and then their stakes back in full; or, where the project's
registered rate promises a return, their stakes back with just that return for the time. Ratios are of a
whole distribution (all payments within three days), so that they do not hang on one backer; the latest
distributions that are alike count.

Dividends that vary with profit differ from distribution to distribution. Refunds of a project that was
not filled undo the stake. Stakes and distributions are kept for as long as the log goes back; of a
backer who was never seen to pay in, equal payments stand for an equal ratio, at a lower confidence.
Where the feed states no purpose, what custody pays a backer counts: as the stake given back when it is
as much, else as a return. Where it names no product, the only project that a platform has is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.registry import Product
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.books.returns import MAX_EDGES, Distribution, Returns, ReturnsBook, Stake
from services.detector.evidence import keep
from services.detector.explanations.disguised_debt import Debt, explanation
from services.detector.parties.entities import Entities
from services.detector.parties.marks import CLIENT, CUSTODY
from services.detector.parties.projects import Project, Projects, project_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
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

_WHOLE: Final = 10_000
_YEAR_DAYS: Final = 365
_UNSTATED: Final = (int(Purpose.transfer), int(Purpose.unknown))
_PAYS: Final = (
    int(Purpose.interest),
    int(Purpose.redemption),
    int(Purpose.repay),
    int(Purpose.refund),
    *_UNSTATED,
)
_MOVES: Final = either(
    sieve(payee=CUSTODY, purposes=[Purpose.invest]),
    sieve(payee=CUSTODY, payer=CLIENT, purposes=_UNSTATED),
    sieve(not_payee=CUSTODY, purposes=_PAYS, facts=Fact.names_product),
    sieve(not_payee=CUSTODY, payer=CUSTODY, purposes=_PAYS),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    min_payments: int = parameter(3, "assumption: two alike may be chance; the stake given back is one more")
    ratio_tolerance_bp: int = parameter(200, "assumption: ratios within 2 % of each other; rounding, fees")
    interval_tolerance_days: int = parameter(5, "assumption: months of 28 to 31 days, weekends")
    whole_bp: int = parameter(9_900, "assumption: so much of the stake is the stake given back")
    promise_tolerance_bp: int = parameter(500, "assumption: the promised return within 5 % of itself")
    min_days: int = parameter(30, "assumption: shorter a promised return is not told from rounding")


class DisguisedDebt(Typology):
    id = "disguised_debt"
    name = Bilingual(zh="明股实债", en="Debt in the guise of equity")
    law = (Citation(document="RP", article="二.1.2"),)
    parameters = Parameters
    needs = ("feed.history", "feed.purpose", "feed.product")
    look_alikes = (
        Bilingual(zh="随利润变动的分红", en="dividends that vary with profit"),
        Bilingual(zh="未筹满项目的退款", en="refunds of a project that was not filled"),
    )

    def __init__(self) -> None:
        self._book = ReturnsBook()
        self._projects = Projects()

    def candidates(self, step: Step) -> Candidates:
        """Payments of backers into custody for a project, and payments for it to others."""
        applied, rows = step.applied, step.passing(_MOVES)
        if not rows.size:
            return NOBODY
        rows = self._projects.among(step, rows)
        to_custody = (step.dst_marks[rows] & CUSTODY) != 0
        return Candidates(rows, np.where(to_custody, applied.src[rows], applied.dst[rows]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        entities = Entities(context)
        project = project_of(context, entities, transfer)
        if project is None:
            return None
        returns = self._book.of(project.product.product_id, transfer.currency)
        backer, minor, day = transfer.account, transfer.amount_minor, day_of(transfer.ts_us)
        if context.marks[transfer.dst] & CUSTODY:
            if not transfer.is_reversal:
                returns.put_in(backer, minor, day)
            return None
        if transfer.purpose is Purpose.refund or transfer.is_reversal:
            returns.refund(backer, minor)
            return None
        if entities.party(backer) == project.product.borrower_party_id:
            return None
        p = in_force(Parameters, self.id, context.rules)
        edge = keep(context, transfer.leg, minor)
        case = _Case(context, transfer, project, returns, p)
        stake = returns.stakes.get(backer)
        whole = stake is not None and stake.known and minor * _WHOLE >= p.whole_bp * stake.minor
        if whole and transfer.purpose is not Purpose.interest:
            given = returns.give_back(backer, minor, day, edge)
            return case.given_back(given, day)
        returns.pay(backer, minor, day, edge)
        return case.paid()


class _Case:
    """One payment to a backer, already in the book."""

    def __init__(
        self, context: Context, transfer: Transfer, project: Project, returns: Returns, p: Parameters
    ) -> None:
        self._context = context
        self._transfer = transfer
        self._project = project
        self._returns = returns
        self._p = p

    def paid(self) -> Finding | None:
        alike = self._alike()
        return self._finding(alike, None) if len(alike) >= self._p.min_payments else None

    def given_back(self, stake: Stake | None, day: int) -> Finding | None:
        """The stake given back is one payment more; by itself it is enough where it was promised."""
        if stake is None:
            return None
        alike = self._alike()
        if len(alike) >= 2 and len(alike) + 1 >= self._p.min_payments:
            return self._finding(alike, self._returns.back)
        if self._is_promised(stake, day - stake.since_day):
            return self._finding((), self._returns.back)
        return None

    def _alike(self) -> Sequence[Distribution]:
        return self._returns.fixed(self._p.ratio_tolerance_bp, self._p.interval_tolerance_days)

    def _is_promised(self, stake: Stake, days: int) -> bool:
        """The premium is the registered yearly rate for the time that the stake was held."""
        rate_bp, p = self._project.product.rate_bp, self._p
        if rate_bp == 0 or days < p.min_days:
            return False
        promised = stake.minor * rate_bp * days
        got = (self._transfer.amount_minor - stake.minor) * _WHOLE * _YEAR_DAYS
        return abs(got - promised) * _WHOLE <= p.promise_tolerance_bp * promised

    def _finding(self, alike: Sequence[Distribution], back: Distribution | None) -> Finding:
        context, transfer, product = self._context, self._transfer, self._project.product
        counted = [*alike, *([back] if back else [])]
        missing = {
            "feed.history": not all(one.known for one in counted),
            "feed.purpose": transfer.purpose in _UNSTATED,
            "feed.product": not self._project.named,
        }
        lacking = tuple(name for name, is_missing in missing.items() if is_missing)
        edges = {(one.feed_id, one.tx_id): one for each in counted for one in each.edges}
        currency, minor = context.graph.currency(transfer.currency), sum(one.paid_minor for one in counted)
        debt = Debt(
            product=product.product_id,
            institution_id=product.institution_id,
            first_us=min(one.ts for one in edges.values()),
            last_us=transfer.ts_us,
            minor=minor,
            currency=currency,
            payments=len(alike),
            ratio_ppm=min((one.ratio_ppm for one in alike), default=0),
            known="feed.history" not in lacking,
            interval_days=_interval(alike),
            back_minor=back.paid_minor if back else 0,
            rate_bp=product.rate_bp,
        )
        return Finding(
            subject=Subject(kind=SubjectKind.product, id=product.product_id),
            institution_id=product.institution_id,
            accounts=(transfer.src,),
            attributed={transfer.seq: transfer.amount_minor},
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(alike, back, product, lacking),
            severity=(
                factor("rule", 45, "明股实债是股权众筹平台的红线", "a red line for equity crowdfunding"),
                by_amount(minor, currency),
            ),
            law=DisguisedDebt.law,
            parameters=shown(self._p),
            explanation=explanation(debt),
            missing=lacking,
            limits=_limits(counted),
            earlier=tuple(edges.values()),
        )

    def _confidence(
        self,
        alike: Sequence[Distribution],
        back: Distribution | None,
        product: Product,
        missing: tuple[str, ...],
    ) -> tuple[Factor, ...]:
        factors = [factor("debt", 55, "按借款方式还本付息", "paid as a loan is")]
        more = len(alike) - self._p.min_payments
        if more > 0:
            zh, en = f"共 {len(alike)} 次等比例支付", f"{len(alike)} payments of one ratio"
            factors.append(factor("repeated", min(20, 5 * more), zh, en))
        if back is not None:
            factors.append(factor("back", 15, "并退还本金", "and the stakes were given back"))
        if product.rate_bp:
            factors.append(factor("rate", 10, "登记有约定收益率", "a rate of return is registered"))
        return (*factors, *lacking(missing))


def _interval(alike: Sequence[Distribution]) -> int:
    """Days between one distribution and the next, on average, rounded down."""
    return (alike[-1].day - alike[0].day) // (len(alike) - 1) if len(alike) > 1 else 0


def _limits(counted: Sequence[Distribution]) -> tuple[Limit, ...]:
    full = any(len(one.edges) == MAX_EDGES for one in counted)
    return (Limit(name="payments_shown", bound=MAX_EDGES),) if full else ()
