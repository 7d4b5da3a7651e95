"""借新还旧: a platform pays earlier clients with later clients' money.

Over W, of what the platform's accounts paid to investors, more than share p can only have come from what
investors paid in over the same time, while money from anybody else (borrowers' instalments, guarantors,
the platform's own money, other income) covers less than share q of it. A growing platform whose borrowers
repay pays out what came in for its loans, however much is invested beside it; but what a borrower repays
within days of being lent as much by the same account is investors' money too, and no asset. Refunds of
listings that did not come about are no payouts. Each paying account is looked at once a day, at its first
payout.

Where the feed states no purpose, what custody pays to clients' sub-accounts is a payout, what clients pay
into it is an investment, and what a registered borrower pays is an instalment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from compiled import Array, Int64s
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.books.listings import Listings
from services.detector.books.loan_flows import ASSET, PAYOUTS, UNSTATED, YUAN, Flow
from services.detector.explanations.ponzi import Scheme, explanation
from services.detector.flows.recycling import recycled
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.growing import with_room
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import OWN_MONEY, Entities
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.typology import (
    NOBODY,
    Candidates,
    Context,
    Finding,
    Outcome,
    Shared,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    parameter,
    shown,
)
from services.detector.wording import percent

_WHOLE: Final = 10_000
_NEVER: Final = -1
_ACCOUNT_BITS: Final = 32
_ROLES: Final = OWN_MONEY | {AccountRole.custody}
_IS_PAID_FOR: Final = among(
    {Purpose.repay, Purpose.interest, Purpose.redemption, Purpose.compensation, *UNSTATED}
)
_IS_INSTALMENT: Final = among([Purpose.repay, Purpose.interest])
_IS_PAID_IN_FOR: Final = among({Purpose.invest, Purpose.recharge, *UNSTATED})


@dataclass(frozen=True, slots=True)
class Parameters:
    """W, p, q of the catalogue."""

    window_days: int = parameter(30, "assumption: W, a month of instalments")
    funded_share_bp: int = parameter(5_000, "assumption: p, most of what is paid out")
    asset_share_bp: int = parameter(5_000, "assumption: q, defaults and late instalments stay well below")
    min_paid_minor: int = parameter(10_000_000, "assumption: CNY 100,000; less says nothing of a platform")
    recycled_days: int = parameter(7, "assumption: who repays a week after a loan repays with it")
    max_loans: int = parameter(5_000, "bound on the loans and instalments of one account that are compared")
    max_legs: int = parameter(250, "bound on the payouts, and on the investments, shown for one account")


class Ponzi(Typology):
    id = "ponzi"
    name = Bilingual(zh="借新还旧", en="Paying old clients with new clients' money")
    law = (Citation(document="RP", article="三.4"), Citation(document="GO", article="八"))
    parameters = Parameters
    needs = ("registry.account", "registry.institution", "feed.purpose")
    look_alikes = (
        Bilingual(zh="借款人正常还款、规模增长的平台", en="a growing honest platform whose borrowers repay"),
        Bilingual(zh="流标退款", en="refunds of listings that did not come about"),
        Bilingual(zh="担保人代偿后兑付", en="payouts after a guarantor's compensation"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._looked: Int64s = np.full(1024, _NEVER, np.int64)
        """By account: the day on which it was last looked at."""

    def candidates(self, step: Step) -> Candidates:
        """The first payout of each day by each account."""
        batch = step.book.batch
        self._cover(step.applied.accounts)
        fresh = batch.of(*PAYOUTS) & (batch.minor > 0) & (batch.day > self._looked[batch.account])
        if not fresh.any():
            return NOBODY
        rows, accounts = batch.rows[fresh], batch.account[fresh]
        _, first = np.unique(batch.day[fresh] << _ACCOUNT_BITS | accounts, return_index=True)
        first.sort()
        return Candidates(rows[first], accounts[first])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        self._looked[transfer.account] = day_of(context.now_us)
        entities = Entities(context)
        listings = Listings(context, entities)
        served = entities.served(transfer.account, _ROLES)
        platform = next((one for one in served if listings.is_lending(one)), None)
        if platform is None:
            return None
        case = _Case(context, listings, platform, in_force(Parameters, self.id, context.rules))
        return case.finding() if case.is_suspect else None

    def _cover(self, account: int) -> None:
        self._looked = with_room(self._looked, account + 1, _NEVER)


class _Case:
    """One platform over the window."""

    def __init__(self, context: Context, listings: Listings, platform: str, parameters: Parameters) -> None:
        self._context = context
        self._platform = platform
        self._p = parameters
        by_account = {
            account: context.book.over(account, parameters.window_days, context.now_us)
            for account in listings.accounts_of(platform)
        }
        self._payers = [one for one, sums in by_account.items() if sums[list(PAYOUTS)].sum() > 0]
        total = sum(by_account.values(), np.zeros(len(Flow), np.int64))
        income = sum(int(by_account[one][Flow.income]) for one in self._payers)
        self._paid = int(total[list(PAYOUTS)].sum())
        self._asset = int(total[list(ASSET)].sum()) + income
        self._invested = int(total[Flow.invested] - total[Flow.refunded])
        self._recycled = self._recycled_in_all() if self._may_be_suspect else 0
        self._asset -= self._recycled

    @property
    def _may_be_suspect(self) -> bool:
        """So much is paid, and by investors, that it depends on what the loans bring."""
        enough = self._paid >= self._p.min_paid_minor
        return enough and self._invested * _WHOLE > self._p.funded_share_bp * self._paid

    def _recycled_in_all(self) -> int:
        """No more than was lent is recycled: nothing is looked up where even that would leave enough."""
        lent = {account: self._lent_at(account) for account in self._payers}
        most = sum(int(loans["amount_minor"].sum()) for loans in lent.values())
        if not self._is_suspect_at(self._asset - min(self._asset, most)):
            return 0
        found = (self._recycled_at(account, loans) for account, loans in lent.items() if loans.size)
        return min(self._asset, sum(found))

    def _lent_at(self, account: int) -> Array:
        """The account's last loans."""
        out = self._context.graph.edges_out(*self._window(account))
        lent: Array = out.records[out.purpose == Purpose.disburse]
        return lent

    def _recycled_at(self, account: int, lent: Array) -> int:
        """Of the last instalments, what was paid by whom the same account had lent as much a few days before:
        investors' money of the one listing that passes for the asset of another."""
        into = self._context.graph.edges_in(*self._window(account))
        instalments = into.records[_IS_INSTALMENT[into.purpose]]
        return recycled(lent, instalments, self._p.recycled_days * DAY)

    def _window(self, account: int) -> tuple[int, int, int, int, int]:
        context, p = self._context, self._p
        since_us = context.now_us - p.window_days * DAY
        return (account, since_us, context.now_us, context.as_of, p.max_loans)

    def _funded_at(self, asset_minor: int) -> int:
        """Of the payouts, what can only have been investors' money if the loans brought so much."""
        return max(0, min(self._paid - asset_minor, self._invested))

    def _is_suspect_at(self, asset_minor: int) -> bool:
        """The less the loans brought, the sooner."""
        if self._paid < self._p.min_paid_minor:
            return False
        is_funded = self._funded_at(asset_minor) * _WHOLE > self._p.funded_share_bp * self._paid
        return is_funded and asset_minor * _WHOLE < self._p.asset_share_bp * self._paid

    @property
    def _funded(self) -> int:
        return self._funded_at(self._asset)

    @property
    def is_suspect(self) -> bool:
        return self._is_suspect_at(self._asset)

    def finding(self) -> Finding:
        context = self._context
        paid, invested, truncated = self._legs()
        legs = [*paid, *invested]
        currency = context.graph.currency(YUAN)
        missing = self._missing(paid)
        cut = (Limit(name="legs", bound=self._p.max_legs),) if truncated else ()
        scheme = Scheme(
            platform=self._platform,
            first_us=min(leg.ts_us for leg in legs),
            last_us=max(leg.ts_us for leg in legs),
            days=self._p.window_days,
            paid_minor=self._paid,
            asset_minor=self._asset,
            invested_minor=self._invested,
            recycled_minor=self._recycled,
            funded_minor=self._funded,
            currency=currency,
        )
        return Finding(
            subject=Subject(kind=SubjectKind.institution, id=self._platform),
            institution_id=self._platform,
            accounts=tuple(sorted(self._payers)),
            attributed={leg.seq: leg.amount_minor for leg in legs},
            amount_minor=self._funded,
            currency=currency,
            confidence=(*self._confidence(), *lacking(missing)),
            severity=(
                factor("rule", 55, "借新还旧终将无法兑付", "such a scheme ends in default"),
                by_amount(self._funded, currency),
            ),
            law=Ponzi.law,
            parameters=shown(self._p),
            explanation=explanation(scheme),
            missing=missing,
            limits=(*cut, *context.book.limits, *context.limits),
        )

    def _legs(self) -> tuple[list[Leg], list[Leg], bool]:
        """The payouts and the investments of the window that were logged last; there may be more."""
        graph, context, p = self._context.graph, self._context, self._p
        since_us = context.now_us - p.window_days * DAY
        paid: list[Leg] = []
        invested: list[Leg] = []
        truncated = False
        for account in self._payers:
            window = (account, since_us, context.now_us, context.as_of, p.max_legs)
            out, into = graph.edges_out(*window), graph.edges_in(*window)
            paid += legs_of(out, _IS_PAID_FOR[out.purpose] & (out.dst != OUTSIDE_INDEX))
            invested += legs_of(into, _IS_PAID_IN_FOR[into.purpose])
            truncated |= out.truncated or into.truncated
        return paid, invested, truncated

    def _missing(self, paid: list[Leg]) -> tuple[str, ...]:
        unstated = sum(leg.purpose in UNSTATED for leg in paid)
        return ("feed.purpose",) if 2 * unstated > len(paid) else ()

    def _confidence(self) -> tuple[Factor, ...]:
        share, asset = percent(self._funded, self._paid), percent(self._asset, self._paid)
        zh, en = f"兑付的 {share} 来自其他投资人", f"{share} of the payouts is other investors' money"
        factors = [factor("funded", 60, zh, en)]
        if self._funded * 10 >= self._paid * 8:
            factors.append(factor("most", 15, "绝大部分如此", "nearly all of it"))
        if self._asset * 10 < self._paid:
            zh, en = f"资产回款仅覆盖 {asset}", f"loans and income cover only {asset}"
            factors.append(factor("no_asset", 15, zh, en))
        return tuple(factors)
