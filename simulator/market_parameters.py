"""Every number of the markets besides lending and payments, with its source. "assumption": chosen here.

None of them is a threshold of a detector. Money is in minor units (fen), rates in basis points.
"""

from __future__ import annotations

from typing import Final

from simulator.parameters import YUAN, Size

# Crowdfunding
BACKERS: Final = 0.07  # assumption: share of people with an account at a crowdfunding platform
BACKER_OPENING: Final = 20_000 * YUAN  # assumption
PROJECT_TARGET: Final = (150_000 * YUAN, 600_000 * YUAN)  # GO 九: small sums for small firms; assumption
RUNNING_PROJECTS: Final = 4  # assumption: a platform's projects that were paid out before the world begins
RAISE_EVERY_DAYS: Final = 11  # assumption
RAISE_DAYS: Final = 6
FOUNDERS_SHARE: Final = (0.05, 0.15)  # assumption: what founders put in, beside the public's
DIVIDEND_EVERY_DAYS: Final = 30
PROFIT_MARGIN_BP: Final = (20, 160)  # assumption: a month's dividend of what was raised; it varies
PROFITLESS_MONTHS: Final = 0.15  # assumption
CROWDFUNDING_FEE_BP: Final = 300  # assumption: filed, of what a project raises

# Funds
HOLDERS: Final = 0.2  # assumption: share of people who hold units of some public fund
HOLDING_MEDIAN: Final = 6_000 * YUAN  # assumption
SUBSCRIPTIONS_A_DAY: Final = 0.02  # assumption, per holder
REDEMPTIONS_A_DAY: Final = 0.015  # assumption, per holder
SALARY_DAYS: Final = (10, 15, 25)
SALARY_DAY_FACTOR: Final = 2.5  # assumption: cards and loans are due when salaries come
FESTIVAL_FACTOR: Final = 3.0  # assumption: the two weeks before Spring Festival
FUND_CASH: Final = 0.15  # assumption: what a fund keeps liquid; the rest is invested outside the feeds

# Private products
LEAST_SUBSCRIPTION: Final = 1_000_000 * YUAN  # private funds: at least a million a qualified investor (s)
WEALTH: Final = (3_000_000 * YUAN, 20_000_000 * YUAN)  # assumption
ASSET_RATE_BP: Final = (600, 950)  # assumption: a year, what a product's company pays

# Companies, agents, households
MARKETPLACE_ORDERS: Final = 0.02  # assumption: per person and day
COMMISSION_BP: Final = 500  # assumption: a marketplace's, of each order
AGENT_FEE_BP: Final = 150  # assumption: a payroll or letting agent's
TUITION: Final = (3_000 * YUAN, 18_000 * YUAN)  # assumption: a term
YEARLY_TAX: Final = (20_000 * YUAN, 90_000 * YUAN)  # assumption: a sole trader's settlement for the year
CASH_WITHDRAWALS_A_DAY: Final = 0.012  # assumption, per person
TAKINGS_MEDIAN: Final = 6_000 * YUAN  # assumption: what a shop pays in, twice a week
SERVICE_FEE: Final = (30_000 * YUAN, 90_000 * YUAN)  # assumption: a month, between firms of a group
SERVICE_CAP: Final = 300_000 * YUAN  # assumption: filed, a month
LATE_BOOKINGS: Final = (2, 6)  # assumption: top-ups under way at a cut-off, per payment institution


def crowdfunding_platforms(size: Size) -> int:
    return max(2, size.platforms // 3)


def managers(size: Size) -> int:
    return max(2, size.platforms // 3)


def trusts(size: Size) -> int:
    return max(2, size.platforms // 6)


def wealthy(size: Size) -> int:
    return size.persons // 20


def marketplaces(size: Size) -> int:
    return max(2, size.payment_institutions // 2)


def agents(size: Size) -> int:
    """Of each kind."""
    return max(2, size.employers // 200)


def households(size: Size) -> int:
    """Of each kind of regular payment: allowances, mutual transfers, instalments, tuition, yearly tax."""
    return size.persons // 60
