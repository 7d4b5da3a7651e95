"""What a full check is, for each typology: its own confirmation, asked of every row that the rule speaks of.

A trigger may leave out only rows at which confirming would find nothing. What it leaves out by the rule
itself (a purpose that explains a payment, a least amount) is said here once more, plainly and by other
means. Where a candidate is an entry in the typology's own books, a row looked at is a row booked: there the
full check has the rule's entries too, and lacks only what spares the trigger work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from schemas.instant import DAY
from schemas.registry import AccountRole, ProductKind
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.books.loan_flows import HOUSE, PAYOUTS, Flow
from services.detector.books.strangers import paid_between
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.entities import CLIENT_MONEY
from services.detector.parties.marks import BORROWER, CLIENT, CUSTODY, KEEPER, MERCHANT, OTHER, TIED, bits_of
from services.detector.typologies import TYPOLOGIES
from services.detector.typology import Candidates, Context, Outcome, Step, Transfer, Typology

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Where:
    """A condition on the rows of a batch."""

    holds: Callable[[Step], Bools]

    def __and__(self, other: Where) -> Where:
        return Where(lambda step: self.holds(step) & other.holds(step))

    def __or__(self, other: Where) -> Where:
        return Where(lambda step: self.holds(step) | other.holds(step))

    def __xor__(self, other: Where) -> Where:
        return Where(lambda step: self.holds(step) ^ other.holds(step))

    def __invert__(self) -> Where:
        return Where(lambda step: ~self.holds(step))


@dataclass(frozen=True)
class Check:
    """Where the payer and the payee of a row are candidates.

    `beside`: the trigger's own candidates too, which are entries in the typology's books.
    `gated`: confirming looks at a busy account now and then, at least once a day; a full check asks recheck()
    each time. Each may be up to a day earlier, for their timers differ.
    """

    payer: Where | None = None
    payee: Where | None = None
    beside: bool = False
    gated: bool = False

    def candidates(self, step: Step, trigger: Candidates) -> Candidates:
        """The payee of a row before its payer."""
        one = step.applied
        moves = step.inserted & (one.src != one.dst)
        found = dict.fromkeys(zip(*map(np.ndarray.tolist, trigger), strict=True) if self.beside else ())
        for where, accounts in ((self.payee, one.dst), (self.payer, one.src)):
            if where is not None:
                rows = np.flatnonzero(moves & where.holds(step) & (accounts != OUTSIDE_INDEX))
                found |= dict.fromkeys(zip(rows.tolist(), accounts[rows].tolist(), strict=True))
        ordered = sorted(found, key=lambda pair: pair[0])
        return Candidates(
            np.array([row for row, _ in ordered], np.intp), np.array([one for _, one in ordered], np.int32)
        )


def said(*purposes: Purpose) -> Where:
    return Where(lambda step: np.isin(step.applied.purpose, purposes))


def paid_by(marks: int) -> Where:
    return Where(lambda step: (step.src_marks & marks) != 0)


def paid_to(marks: int) -> Where:
    return Where(lambda step: (step.dst_marks & marks) != 0)


def least(minor: int) -> Where:
    return Where(lambda step: step.applied.amount_minor >= minor)


def of_kind(kind: ProductKind) -> Where:
    """It names a product that was ever of the kind."""

    def holds(step: Step) -> Bools:
        known = step.registry.ever_of_kind(kind)
        return np.array([step.graph.product(code) in known for code in step.applied.product.tolist()])

    return Where(holds)


def flow(*flows: Flow) -> Where:
    """It is such a flow of a platform's loans, and no reversal."""

    def holds(step: Step) -> Bools:
        batch, booked = step.book.batch, np.zeros_like(step.inserted)
        booked[batch.rows[batch.of(*flows) & (batch.minor > 0)]] = True
        return booked

    return Where(holds)


def _stays(step: Step) -> Bools:
    """Between accounts of one holder."""
    one, holders = step.applied, step.registry.holders
    kept = [
        not set(holders(step.graph.token(src).hex())).isdisjoint(holders(step.graph.token(dst).hex()))
        for src, dst in zip(one.src.tolist(), one.dst.tolist(), strict=True)
    ]
    return np.array(kept)


def _on_interest_day(step: Step) -> Bools:
    """The 21st of a quarter's last month, in Beijing."""
    days = day_of(step.applied.ts_us).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    is_21st: Bools = (days - months).astype(int) == 20
    return is_21st & (months.astype(int) % 3 == 2)


P: Final = Purpose
ANY: Final = Where(lambda step: np.ones_like(step.inserted))
NAMED: Final = Where(lambda step: step.applied.product > 0)
INSTRUCTED: Final = Where(
    lambda step: pc.binary_length(step.batch.columns.column("instruction")).to_numpy() > 0
)
STAYS: Final = Where(_stays)
REVERSAL: Final = Where(lambda step: step.reverses)
INTEREST_DAY: Final = Where(_on_interest_day)
STRANGERS: Final = Where(lambda step: np.isin(np.arange(step.batch.rows), paid_between(step, 31 * DAY)))
CASH_IN: Final = Where(lambda step: step.applied.src == OUTSIDE_INDEX)
UNSTATED: Final = said(P.transfer, P.unknown)
LATE: Final = Where(lambda step: step.applied.ts_us < step.applied.clock_us)
MARGIN: Final = bits_of({AccountRole.securities_margin})
LENT_OR_LARGE: Final = least(1_000_000) | said(P.disburse)
EXPLAINED: Final = said(
    *(P.salary, P.tax, P.repay, P.interest, P.redemption, P.disburse, P.compensation, P.refund),
    *(P.merchant_settlement, P.reserve_transfer),
)
BUSINESS: Final = said(
    *(P.repay, P.withdraw, P.redemption, P.refund, P.merchant_settlement, P.compensation),
    *(P.interest, P.subsidy, P.fee, P.salary, P.tax),
)
BACKED: Final = paid_to(CUSTODY) & (said(P.invest) | UNSTATED & paid_by(CLIENT))
AGENT: Final = KEEPER & ~CLIENT
RESERVES: Final = bits_of({AccountRole.reserve, AccountRole.partner_reserve})
KEPT: Final = RESERVES | bits_of({AccountRole.special_business})
OWN: Final = bits_of({AccountRole.own, AccountRole.filed_own})
CLIENTS: Final = bits_of(CLIENT_MONEY)
VEHICLE: Final = bits_of({AccountRole.product_vehicle})
ONE_HOUSE: Final = paid_by(HOUSE) ^ paid_to(HOUSE)
SERVED: Final = least(100_000) & (UNSTATED | said(P.purchase, P.merchant_settlement, P.reserve_transfer))
RENAMED: Final = said(P.refund, P.transfer, P.fee)
REBATED: Final = paid_by(KEPT) & paid_to(OWN)

CHECKS: Final[dict[str, Check]] = {
    "pooling": Check(payer=ANY, payee=ANY, gated=True),
    "self_lending": Check(payee=ANY),
    "reserve_misuse": Check(payer=ANY),
    "structuring": Check(payer=~(EXPLAINED | REVERSAL), payee=CASH_IN & ~(EXPLAINED | REVERSAL)),
    "firewall_breach": Check(payer=paid_by(TIED) & paid_to(TIED)),
    "commingling": Check(
        payer=paid_by(OTHER) | paid_to(OTHER) | paid_by(CUSTODY) & ~paid_to(KEEPER), beside=True
    ),
    "reserve_interest": Check(
        payer=REBATED,
        payee=~REBATED & (said(P.interest) | ~INSTRUCTED & (RENAMED | said(P.unknown) & INTEREST_DAY)),
    ),
    "fund_advance": Check(payer=ANY, payee=ANY),
    "nested_products": Check(payer=ANY, payee=ANY),
    "reserve_location": Check(payee=paid_to(RESERVES) | paid_to(OWN) & said(P.top_up)),
    "borrower_cap": Check(payee=ANY),
    "misappropriation": Check(payer=~(paid_to(CLIENTS) | STAYS)),
    "custody_bypass": Check(payee=~paid_by(CLIENTS | HOUSE)),
    "platform_lending": Check(
        payer=said(P.disburse)
        | paid_to(BORROWER) & (UNSTATED | said(P.refund, P.salary))
        | ~paid_by(HOUSE) & UNSTATED,
        payee=~paid_by(CUSTODY | HOUSE | CLIENT | RESERVES | TIED) & (UNSTATED | said(P.repay)),
    ),
    "self_guarantee": Check(
        payer=~paid_by(CUSTODY) & flow(Flow.compensated, Flow.paid, Flow.interest)
        | NAMED & (flow(Flow.repaid) | ~paid_by(CUSTODY) & flow(Flow.subsidy))
    ),
    "pass_through": Check(payer=ANY),
    "down_payment_loan": Check(payee=LENT_OR_LARGE),
    "unlicensed_payment": Check(payee=ANY, gated=True),
    # what a payment brings there of several sources is told of the one that it brings most of, then and once
    "margin_funding": Check(payee=least(1_000_000) & paid_to(MARGIN) | said(P.disburse) & LATE),
    "maturity_mismatch": Check(
        payer=NAMED & paid_by(CUSTODY) & flow(Flow.paid),
        payee=NAMED & paid_to(CUSTODY) & flow(Flow.invested),
        beside=True,
    ),
    "split_sale": Check(
        payee=paid_to(VEHICLE) & ~paid_by(VEHICLE)
        | ~(paid_to(VEHICLE | AGENT) | paid_by(VEHICLE | AGENT))
        & (of_kind(ProductKind.private) & (UNSTATED | said(P.invest, P.purchase)) | ~NAMED & said(P.invest))
    ),
    "self_raise": Check(payer=BACKED, payee=~BACKED & paid_by(CUSTODY) & said(P.refund, P.disburse)),
    "abnormal_return": Check(payer=NAMED & paid_by(CUSTODY | HOUSE) & flow(*PAYOUTS), beside=True),
    "disguised_clearing": Check(
        payer=ONE_HOUSE & paid_by(HOUSE) & SERVED, payee=ONE_HOUSE & paid_to(HOUSE) & SERVED
    ),
    "straw_borrowers": Check(payer=ANY, payee=ANY),
    "term_splitting": Check(payer=ANY, payee=ANY),
    "disguised_debt": Check(
        payer=BACKED,
        payee=~paid_to(CUSTODY) & (UNSTATED | said(P.interest, P.redemption, P.repay, P.refund)),
        beside=True,
    ),
    "round_tripping": Check(payee=~(paid_by(KEEPER) | paid_to(KEEPER))),
    "exit_drain": Check(
        payer=least(1_000_000) & ~(paid_to(KEEPER | MERCHANT | VEHICLE) | BUSINESS | NAMED & said(P.disburse))
    ),
    "redemption_run": Check(payer=ANY, payee=ANY),
    "bipartite": Check(payer=STRANGERS),
    "scatter_gather": Check(payee=STRANGERS),
    "stack": Check(payer=STRANGERS),
    "gather_scatter": Check(payer=STRANGERS),
    "fan_in": Check(payee=STRANGERS),
    "fan_out": Check(payer=STRANGERS),
    "cycle": Check(payee=STRANGERS),
}
"""By typology."""

NO_CHECK: Final[dict[str, str]] = {
    "reserve_shortfall": "statements of balances wake it; of transfers it only notes top-ups",
    "investor_limit": "its candidates are the entries in its book of stakes, all of them: nothing is spared",
    "dormant_wake": "its trigger counts what the rule asks, row by row; confirming takes over the count",
    "ponzi": "it is judged at an account's first payout of a day, on whole days; later ones see half of one",
}


def full(typology: type[Typology]) -> type[Typology]:
    """`typology`, looking at all that its check says."""
    check = CHECKS[typology.id]

    class Full(typology):  # type: ignore[misc, valid-type]
        def candidates(self, step: Step) -> Candidates:
            return check.candidates(step, super().candidates(step))

        def confirm(self, context: Context, transfer: Transfer) -> Outcome:
            if check.gated:
                return self.recheck(context, transfer.account)
            return super().confirm(context, transfer)

    return Full


CHECKED: Final = tuple(one for one in TYPOLOGIES if one.id in CHECKS)
