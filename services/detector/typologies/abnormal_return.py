"""畸高回报、变相补贴: investors of a listing earn more than the cap on returns that is in force.

The realised return of a listing's investors is what they got beyond their principal, gifts included, over
the principal they had out and for how long, as a yearly rate. It is measured at the end of each hour in
which they are paid, as of the evening, for interest runs by whole days, and over at least a month or the
listing's term, so that a first payment says no more than it should. Where the feed tells interest from
principal, interest is the income; else it is what was paid beyond the principal, and each payout returns
principal in proportion.

A gift within the cap filed for one client does not count, nor a small one where nothing is filed, as long
as it is the client's only one for the listing: a second is no sign-up gift, and both are part of the return.
So is what a related company of the platform pays several investors of one listing without saying for what.
What names no listing counts for the one its client invested in last. Listings issued before the log began
are passed over: how long their principal was out is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from compiled import Int64s, direct, kernel
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.registry import FilingKind
from schemas.transaction import Purpose
from services.detector.beijing import day_of, midnight_us
from services.detector.books.investor_gifts import Gift, Gifts
from services.detector.books.listings import Listings
from services.detector.books.loan_flows import HOUSE, UNSTATED, YUAN, Booked, Flow
from services.detector.explanations.abnormal_return import Cohort, explanation
from services.detector.growing import with_room
from services.detector.legs import legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEEPER, TIED
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
from services.detector.typology import (
    NOBODY,
    Candidates,
    Context,
    Finding,
    Outcome,
    Recheck,
    Shared,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    least,
    parameter,
    shown,
    together,
)

_WHOLE: Final = 10_000
_YEAR_HOURS: Final = 365 * 24
_PAID_OUT: Final = int(Flow.paid)
_INTEREST: Final = int(Flow.interest)
_SUBSIDY: Final = int(Flow.subsidy)
_PAID: Final = (Purpose.repay, Purpose.redemption, Purpose.interest, Purpose.compensation, *UNSTATED)
_REWARDS: Final = (Purpose.transfer, Purpose.unknown, Purpose.subsidy)
_REWARDING: Final = sieve(payer=TIED, not_payer=HOUSE | KEEPER, purposes=_REWARDS, facts=Fact.yuan)
_RP: Final = Citation(document="RP", article="三.4")


@dataclass(frozen=True, slots=True)
class Parameters:
    cap_bp: int = parameter(2_400, "schemas/law has the cap of each period")
    void_bp: int = parameter(3_600, "schemas/law has what each period holds void")
    min_term_days: int = parameter(30, "assumption: less is no base for a yearly rate, but for short terms")
    mixed_tolerance_bp: int = parameter(50, "assumption: what splitting instalments in proportion misses")
    min_income_minor: int = parameter(100_000, "assumption: CNY 1,000; less is no enticement")
    small_gift_minor: int = parameter(10_000, "assumption: CNY 100, an activity's gift to one client")
    min_rewarded: int = parameter(5, "assumption: so many of one listing's investors are no chance")
    window_days: int = parameter(31, "bound: how far back transfers are looked up as evidence")
    max_legs: int = parameter(400, "bound on the transfers of one account that are shown")


class AbnormalReturn(Typology):
    id = "abnormal_return"
    name = Bilingual(zh="畸高回报、变相补贴", en="Abnormal returns and disguised subsidies")
    law = (
        _RP,
        Citation(document="SPC-2020-6", article="二十六"),
        Citation(document="SPC-2015-18", article="二十六"),
    )
    parameters = Parameters
    needs = ("registry.account", "registry.product", "registry.filing", "feed.purpose", "feed.product")
    look_alikes = (
        Bilingual(zh="备案补贴限额内的一次性新手红包", en="a one-off sign-up gift below the filed cap"),
        Bilingual(zh="法定上限以内的回报", en="a return within the cap in force"),
        Bilingual(zh="本息合并的等额分期", en="instalments of principal and interest in one"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._looked: Int64s = np.full(1024, -1, np.int64)
        """By product: the last hour in which a payment for it was looked at, and so its end is."""
        self._pending: dict[int, dict[int, None]] = {}
        """By paying account: listings to measure at the end of the hour."""
        self._gifts = Gifts()

    def candidates(self, step: Step) -> Candidates:
        """The first payout of each hour for each listing, and gifts that are not small."""
        batch, rewards = step.book.batch, self._rewards(step)
        if not batch.rows.size and not rewards.size:
            return NOBODY
        self._cover(int(batch.product.max(initial=0)))
        chosen = np.empty(batch.rows.size, np.int64)
        small = least(Parameters, self.id, "small_gift_minor", step)
        places = chosen[: choose_payments(batch, step.applied.clock_us, self._looked, small, chosen)]
        paid = Candidates(batch.rows[places], batch.account[places])
        return together(paid, Candidates(rewards, step.applied.src[rewards]))

    def _rewards(self, step: Step) -> Int64s:
        """What parties tied to an institution pay many others without saying for what."""
        rewards = step.passing(_REWARDING)
        return rewards[step.applied.payees[rewards] >= least(Parameters, self.id, "min_rewarded", step)]

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        hour = context.now_us // HOUR
        product, parameters = transfer.product, in_force(Parameters, self.id, context.rules)
        if transfer.purpose is Purpose.subsidy and transfer.step.src_marks[transfer.row] & HOUSE:
            product = self._gifts.give(context, transfer, parameters)
        elif transfer.purpose in _REWARDS and context.marks[transfer.src] & TIED and transfer.product == 0:
            product = self._gifts.reward(context, transfer, parameters)
        if product == 0:
            return None
        self._cover(product)
        self._looked[product] = hour
        self._pending.setdefault(transfer.account, {})[product] = None
        return Recheck(transfer.account, (hour + 1) * HOUR)

    def recheck(self, context: Context, account: int) -> Outcome:
        """At the end of an hour: a finding for each listing that pays too much."""
        measured = (self._measure(context, account, product) for product in self._pending.pop(account, {}))
        return tuple(finding for finding in measured if finding is not None)

    def _measure(self, context: Context, account: int, product: int) -> Finding | None:
        parameters = in_force(Parameters, self.id, context.rules)
        listings = Listings(context, Entities(context))
        if _is_older(context, listings, product):
            return None
        platform = listings.platform(product, account)
        if platform is None:
            return None
        gifts = self._gifts.counted(context, product, parameters)
        earned = _earned(context, listings, product, gifts, parameters)
        if earned is None or earned.income_minor < parameters.min_income_minor:
            return None
        tolerance = 0 if earned.stated else parameters.mixed_tolerance_bp
        if not earned.exceeds(parameters.cap_bp + tolerance):
            return None
        return _finding(context, account, product, platform, earned, listings, parameters)

    def _cover(self, product: int) -> None:
        self._looked = with_room(self._looked, product + 1, -1)


@direct
@kernel
def choose_payments(batch: Booked, clock_us: Int64s, looked: Int64s, small_minor: int, chosen: Int64s) -> int:
    """Places of the first payout of each hour for each listing, which is noted, and of gifts that are not
    small or name a listing; how many they are."""
    count = 0
    for place in range(batch.rows.size):
        flow, product, minor = batch.flow[place], batch.product[place], batch.minor[place]
        if flow in (_PAID_OUT, _INTEREST) and product > 0 and minor > 0:
            hour = clock_us[batch.rows[place]] // HOUR
            is_chosen = hour > looked[product]
            looked[product] = max(looked[product], hour)
        else:
            is_chosen = flow == _SUBSIDY and (minor > small_minor or product > 0)
        if is_chosen:
            chosen[count] = place
            count += 1
    return count


class _Earned(NamedTuple):
    """What a listing's investors got beyond their principal. `stated`: the feed tells interest apart."""

    invested_minor: int
    income_minor: int
    gifts: list[Gift]
    principal_hours: int
    stated: bool

    @property
    def rate_bp(self) -> int:
        """A year, rounded down."""
        return self.income_minor * _YEAR_HOURS * _WHOLE // self.principal_hours

    def exceeds(self, cap_bp: int) -> bool:
        return self.income_minor * _YEAR_HOURS * _WHOLE > cap_bp * self.principal_hours


def _earned(
    context: Context, listings: Listings, product: int, gifts: list[Gift], parameters: Parameters
) -> _Earned | None:
    book = context.book
    invested = book.total(product, Flow.invested) - book.total(product, Flow.refunded)
    if invested <= 0:
        return None
    paid, interest = book.total(product, Flow.paid), book.total(product, Flow.interest)
    beyond = max(0, paid - invested)
    returned_bp = _WHOLE * invested // paid if beyond else _WHOLE
    record, days = listings.record(product), parameters.min_term_days
    if record is not None and record.issued_at is not None and record.due_at is not None:
        days = min(days, max(1, (record.due_at - record.issued_at) // DAY))
    evening_us = midnight_us(day_of(context.now_us - 1) + 1)
    hours = book.principal_hours(product, evening_us, returned_bp)
    given = sum(gift.minor for gift in gifts)
    return _Earned(
        invested_minor=invested,
        income_minor=interest + beyond + given,
        gifts=gifts,
        principal_hours=max(hours, invested * days * 24),
        stated=interest > 0 or not beyond,
    )


def _is_older(context: Context, listings: Listings, product: int) -> bool:
    record, since_us = listings.record(product), context.book.since_us
    issued_us = record.issued_at if record else None
    return issued_us is not None and since_us is not None and issued_us < since_us


def _finding(
    context: Context,
    account: int,
    product: int,
    platform: str,
    earned: _Earned,
    listings: Listings,
    parameters: Parameters,
) -> Finding:
    since_us = context.now_us - parameters.window_days * DAY
    window = (account, since_us, context.now_us, context.as_of, parameters.max_legs)
    out, into = context.graph.edges_out(*window), context.graph.edges_in(*window)
    legs = legs_of(out, (out.product == product) & np.isin(out.purpose, _PAID))
    clients = {leg.dst for leg in legs}
    legs += legs_of(into, (into.product == product) & (into.purpose == Purpose.invest))
    gifts = [gift for gift in earned.gifts if gift.leg.ts_us >= since_us]
    legs += [gift.leg for gift in gifts]
    currency = context.graph.currency(YUAN)
    cohort = Cohort(
        platform=platform,
        listing=context.graph.product(product),
        first_us=min((leg.ts_us for leg in legs), default=context.now_us),
        last_us=max((leg.ts_us for leg in legs), default=context.now_us),
        clients=len(clients | {gift.leg.dst for gift in gifts}),
        invested_minor=earned.invested_minor,
        income_minor=earned.income_minor,
        gifts_minor=sum(gift.minor for gift in earned.gifts),
        rate_bp=earned.rate_bp,
        cap_bp=parameters.cap_bp,
        currency=currency,
    )
    missing = _missing(context, listings, platform, product, earned)
    truncated = out.truncated or into.truncated
    return Finding(
        subject=Subject(kind=SubjectKind.product, id=cohort.listing),
        institution_id=platform,
        accounts=(account,),
        attributed={leg.seq: leg.amount_minor for leg in legs},
        amount_minor=earned.income_minor,
        currency=currency,
        confidence=(*_confidence(earned, parameters), *lacking(missing)),
        severity=(
            factor("rule", 35, "超高回报扰乱市场、诱集资金", "extreme returns draw money in"),
            by_amount(earned.invested_minor, currency),
        ),
        law=_law(parameters),
        parameters=shown(parameters),
        explanation=explanation(cohort),
        missing=missing,
        limits=(
            *((Limit(name="legs", bound=parameters.max_legs),) if truncated else ()),
            *context.book.limits,
            *context.limits,
        ),
    )


def _law(parameters: Parameters) -> tuple[Citation, ...]:
    """Until 2020 what is void lay above what is upheld; since then one cap serves both."""
    document = "SPC-2015-18" if parameters.void_bp > parameters.cap_bp else "SPC-2020-6"
    return _RP, Citation(document=document, article="二十六")


def _missing(
    context: Context, listings: Listings, platform: str, product: int, earned: _Earned
) -> tuple[str, ...]:
    filed = context.registry.filings(platform, FilingKind.subsidy, context.now_us)
    missing = {
        "registry.product": listings.record(product) is None,
        "registry.filing": bool(earned.gifts) and not filed,
        "feed.purpose": not earned.stated,
        "feed.product": any(gift.leg.product == 0 for gift in earned.gifts),
    }
    return tuple(name for name, is_missing in missing.items() if is_missing)


def _confidence(earned: _Earned, parameters: Parameters) -> tuple[Factor, ...]:
    shown_rate, cap = f"{earned.rate_bp / 100:.2f}%", f"{parameters.cap_bp / 100:.2f}%"
    factors = [factor("rate", 70, f"年化 {shown_rate}，上限 {cap}", f"{shown_rate} a year, the cap is {cap}")]
    if earned.exceeds(max(parameters.void_bp, 2 * parameters.cap_bp)):
        factors.append(factor("twice", 15, "达到上限两倍以上", "more than twice the cap"))
    return tuple(factors)
