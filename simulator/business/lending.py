"""Platforms' loans, honestly through custody: invest, disburse, repay; refund what did not come about.

Money: client's sub-account → custody main account → borrower; back the same way with interest.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from schemas.instant import DAY, HOUR, MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast, Platform
from simulator.dates import OFFICE
from simulator.flows import NONE, Channel
from simulator.loans import Listing, ListingPlan, Loan, investors_for, opening_loans
from simulator.register import OUTSIDE
from simulator.streams import pro_rata
from simulator.today import Today

_MIN_BID = 100 * p.YUAN
_GRACE_DAYS = 3
_PUSH = 3  # assumption: the platform advertises a planted listing, which so many times more clients see


class Lending:
    def __init__(self, cast: Cast, plan: ListingPlan, seed: int, start_us: int) -> None:
        self._platforms = cast.platforms
        self._plan = plan
        self._start_us = start_us
        self._open: list[Loan] = []
        self._full: list[Loan] = []
        self._due: defaultdict[int, list[Loan]] = defaultdict(list)
        self._reserve_left = [p.RISK_RESERVE * (x.risk_reserve != NONE) for x in cast.platforms]
        for loan in opening_loans(plan, cast.platforms, seed):
            self._await_instalment(loan)

    def act(self, today: Today) -> None:
        rng = today.stream("lending")
        if today.date.working:
            waiting, self._full = self._full, []
            for loan in waiting:
                self._pay_out(today, rng, loan)
        for loan in self._due.pop(today.day, []):
            self._collect(today, rng, loan)
        self._open.extend(Loan(listing) for listing in self._plan.on(today.day))
        self._open.sort(key=lambda loan: loan.listing.pattern == NONE)
        self._open = [loan for loan in self._open if self._raise(today, rng, loan)]
        self._capitalise_guarantors(today)

    def _raise(self, today: Today, rng: np.random.Generator, loan: Loan) -> bool:
        """Take bids; False when the listing is full or was given up."""
        listing = loan.listing
        if today.day - listing.open_day >= p.UNFILLED_AFTER_DAYS:
            self._give_back(today, loan, today.date.at(9) + int(rng.integers(0, 3600)) * SECOND)
            return False
        platform = self._platforms[listing.platform]
        able = platform.sub[today.ledger.spendable[platform.sub] >= _MIN_BID]
        pushed = _PUSH if listing.pattern != NONE else 1
        count = min(investors_for(rng, listing.principal) * pushed, len(able))
        bidders = rng.choice(able, count, replace=False)
        wished = np.minimum(
            today.ledger.spendable[bidders],
            (listing.principal * rng.uniform(0.04, 0.3, count)).astype(np.int64),
        )
        bids = np.maximum(wished // _MIN_BID * _MIN_BID, _MIN_BID)
        room = listing.principal - loan.raised
        bids = np.clip(room - (np.cumsum(bids) - bids), 0, bids)
        after = max(listing.open_us, today.date.begin_us)
        at = (
            after
            + (rng.random(count) * (today.date.begin_us + DAY - after) / SECOND).astype(np.int64) * SECOND
        )
        kept = today.pay(
            bidders,
            platform.custody,
            bids,
            at,
            Purpose.invest,
            channel=Channel.custody,
            product=listing.product,
            pattern=platform.patterns.custody_main,
        )
        loan.investors.append(bidders[kept])
        loan.stakes.append(bids[kept])
        loan.raised += int(bids[kept].sum())
        if loan.full:
            self._full.append(loan)
        return not loan.full

    def _pay_out(self, today: Today, rng: np.random.Generator, loan: Loan) -> None:
        listing = loan.listing
        platform = self._platforms[listing.platform]
        at = int(today.date.moments(rng, OFFICE, 1)[0])
        if listing.cancelled:
            self._give_back(today, loan, at)
            return
        planted = listing.pattern != NONE
        paid = today.pay(
            platform.custody,
            listing.borrower,
            listing.principal,
            at,
            Purpose.disburse,
            channel=Channel.custody,
            product=listing.product,
            pattern=listing.pattern if planted else _label(platform, listing),
        )
        if not paid[0]:
            self._full.append(loan)
            return
        fee = listing.principal * platform.fee_bp // 10_000
        today.flows.add(
            listing.borrower,
            platform.fee,
            fee,
            at + int(rng.integers(2, 50)) * MINUTE,
            Purpose.fee,
            product=listing.product,
            pattern=platform.patterns.platform_fee,
        )
        loan.disbursed_us = at
        today.disbursed.append(loan)
        self._await_instalment(loan)

    def _give_back(self, today: Today, loan: Loan, at: int) -> None:
        platform = self._platforms[loan.listing.platform]
        if loan.raised:
            self._distribute(
                today,
                loan,
                platform,
                loan.raised,
                at,
                Purpose.refund,
                platform.patterns.listing_refund,
                claim=True,
            )

    def _await_instalment(self, loan: Loan) -> None:
        if loan.paid < loan.listing.months:
            first_day = (loan.disbursed_us - self._start_us) // DAY
            self._due[first_day + 30 * (loan.paid + 1)].append(loan)

    def _collect(self, today: Today, rng: np.random.Generator, loan: Loan) -> None:
        """An instalment is due: from the borrower, or after some days from the guarantor."""
        listing = loan.listing
        platform = self._platforms[listing.platform]
        due = loan.instalment()
        broke = 0 < listing.defaults_at <= loan.paid + 1
        sponsored = False
        able = not broke and today.ledger.claim_one(listing.borrower, due)
        if not broke and not able:
            able = sponsored = _sponsored(today, listing, due)
        if not able and loan.overdue_days < _GRACE_DAYS:
            loan.overdue_days += 1
            self._due[today.day + 1].append(loan)
            return
        payer, purpose, label = listing.borrower, Purpose.repay, listing.upkeep if sponsored else NONE
        if not able:
            payer, label = self._who_compensates(listing.platform, due)
            purpose = Purpose.compensation
            if not today.ledger.claim_one(payer, due):
                self._due[today.day + 1].append(loan)
                return
            if payer == platform.risk_reserve:
                self._reserve_left[listing.platform] -= due
        at = today.date.at(8.5 + 7 * rng.random())
        today.flows.add(
            payer,
            platform.custody,
            due,
            at,
            purpose,
            channel=Channel.custody,
            product=listing.product,
            pattern=label,
        )
        pattern = platform.patterns.custody_main
        self._distribute(today, loan, platform, due, at + HOUR, purpose, pattern, claim=False)
        loan.overdue_days = 0
        loan.paid += 1
        self._await_instalment(loan)

    def _who_compensates(self, number: int, due: int) -> tuple[int, int]:
        """Account and label: the filed risk reserve up to its cap, else the licensed guarantor."""
        platform = self._platforms[number]
        if due <= self._reserve_left[number]:
            return platform.risk_reserve, platform.patterns.risk_reserve
        return platform.guarantor, platform.patterns.licensed_compensation

    def _distribute(
        self,
        today: Today,
        loan: Loan,
        platform: Platform,
        total: int,
        at: int,
        purpose: Purpose,
        pattern: int,
        *,
        claim: bool,
    ) -> None:
        """From custody to the investors, in proportion. `claim`: it is not money just passed through."""
        investors = np.concatenate(loan.investors)
        move = today.pay if claim else today.flows.add
        move(
            platform.custody,
            investors,
            pro_rata(total, np.concatenate(loan.stakes)),
            at + np.arange(len(investors), dtype=np.int64) * SECOND,
            purpose,
            channel=Channel.custody,
            product=loan.listing.product,
            pattern=pattern,
        )

    def _capitalise_guarantors(self, today: Today) -> None:
        """A guarantor's own capital comes from outside when it runs low."""
        for platform in self._platforms:
            if today.ledger.spendable[platform.guarantor] < 1_000_000 * p.YUAN:
                today.flows.add(
                    OUTSIDE, platform.guarantor, 2_000_000 * p.YUAN, today.date.at(15), Purpose.transfer
                )


def _label(platform: Platform, listing: Listing) -> int:
    return platform.patterns.custody_main if listing.look_alike == NONE else listing.look_alike


def _sponsored(today: Today, listing: Listing, due: int) -> bool:
    """Whoever is behind a planted borrower hands it the instalment early in the morning."""
    if listing.sponsor == NONE:
        return False
    at = today.date.at(8)
    paid = today.pay(listing.sponsor, listing.borrower, due, at, Purpose.transfer, pattern=listing.upkeep)
    return bool(paid[0])
