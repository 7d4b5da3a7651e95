"""Every number the world is made of, with its source. "assumption": chosen here, nobody measured it.

None of them is a threshold of a rule: the simulator shares nothing with what detects its misconduct.
Money is in minor units (fen), rates in basis points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

YUAN: Final = 100
CURRENCY: Final = "CNY"

DEFAULT_START: Final = "2019-01-20T16:00:00Z"
"""Midnight in Beijing of Monday 2019-01-21: P2P lending at its height, Spring Festival two weeks off,
reserves already centralised (2019-01-14, PBoC notice, secondary source)."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are. Listings are per platform and day; cases per variant and round.
    Firms are small companies that borrow; employers have staff."""

    persons: int
    banks: int
    platforms: int
    payment_institutions: int
    lenders: int
    employers: int
    firms: int
    shops: int
    landlords: int
    developers: int
    brokers: int
    listings: float
    cases: int


SIZES: Final = {
    "small": Size(5_000, 4, 10, 4, 2, 60, 160, 160, 12, 3, 3, 1.8, 1),
    "large": Size(100_000, 12, 36, 12, 6, 1_500, 2_400, 4_000, 300, 20, 12, 8.0, 2),
    "million": Size(1_000_000, 24, 120, 36, 12, 15_000, 24_000, 40_000, 3_000, 100, 60, 24.0, 4),
}
"""Counts: assumption. "large" is for a simulated year, "million" for a few days of very many people."""

# People
SALARY_MEDIAN: Final = 6_000 * YUAN
SALARY_SIGMA: Final = 0.45
"""NBS 2018: mean yearly wage 82 413 (urban non-private) and 49 575 yuan (private): 4 100–6 900 a month."""
CARD_OPENING_MEDIAN: Final = 22_000 * YUAN  # assumption: some months of salary
PLATFORM_MEMBERSHIP: Final = (0.35, 0.45, 0.20)  # assumption: share of people on 0, 1, 2 platforms
WALLET_MEMBERSHIP: Final = 0.8  # CNNIC 2019: about 72 % of internet users pay by mobile; adults only: more
ACTIVE_AT_START: Final = 0.8  # assumption: the rest join evenly over the first year (growth)
RENTING: Final = 0.22  # assumption, near the 2015 sample census's share of urban tenants
PURCHASES_A_DAY: Final = 0.28  # assumption: by bank card; wallets come on top
PURCHASE_MEDIAN: Final = 75 * YUAN
PURCHASE_SIGMA: Final = 1.0
RENT_MEDIAN: Final = 1_900 * YUAN
UTILITY_MEDIAN: Final = 160 * YUAN
GIFTS_A_DAY: Final = 0.02  # assumption: between acquaintances; festivals multiply it

# Platforms
LOAN_RATE_BP: Final = (700, 1_400)  # WDZJ yearly report 2018 (secondary): mean return 9.81 %
LOAN_TERMS: Final = (
    3,
    6,
    9,
    12,
)  # months; assumption: shorter than the 12.65 of WDZJ 2018, to see repayments
PERSON_PRINCIPAL_MEDIAN: Final = 20_000 * YUAN  # assumption
PERSON_PRINCIPAL_CAP: Final = 190_000 * YUAN  # 2016-08-24 measures: 200 000 on one platform
FIRM_PRINCIPAL: Final = (100_000 * YUAN, 900_000 * YUAN)  # the same: 1 000 000
FIRM_REVENUE: Final = 25_000 * YUAN  # assumption: median of a working day
FIRM_BORROWERS: Final = 0.12  # assumption
FEE_BP: Final = (150, 300)  # assumption: filed arrangement fee, of the amount disbursed
WITHDRAWAL_FEE: Final = 2 * YUAN  # usual tariff at the time
SUB_OPENING_MEDIAN: Final = 9_000 * YUAN  # assumption
RECHARGES_A_DAY: Final = 0.045  # assumption, per client and day
RECHARGE_MEDIAN: Final = 4_000 * YUAN
WITHDRAWALS_A_DAY: Final = 0.03  # assumption
SUBSIDIES_A_DAY: Final = 0.004  # assumption
DEFAULT_RATE: Final = 0.02  # assumption: loans that stop paying at some instalment
CANCELLED_LISTINGS: Final = 0.03  # assumption: withdrawn by the borrower after funding
UNFILLED_AFTER_DAYS: Final = 5
INVESTORS_A_LISTING: Final = (6, 14)  # assumption: and one more for each
PRINCIPAL_AN_INVESTOR: Final = 10_000 * YUAN
RELATED_SUPPLIER: Final = 0.5  # assumption: share of firms that buy a little from the platform's group
RISK_RESERVE: Final = 300_000 * YUAN  # assumption: what every third platform has filed, and keeps
SUBSIDY_CAP: Final = 200 * YUAN  # assumption: filed gifts to one client in 30 days
SIGN_UP_GIFT: Final = 50 * YUAN  # assumption
CLAIMS_SOLD_A_DAY: Final = 0.004  # assumption, per running loan
RETURNING_BORROWERS: Final = 0.06  # assumption: listings by people who already have a loan there
WITHDRAWN_FOR_SHARES: Final = 0.03  # assumption: withdrawals that go to a broker some days later
MATERIAL_LOANS: Final = 0.2  # assumption: firms that borrow to buy building material
BIG_SHOP: Final = 0.3  # assumption: purchases on credit made at the biggest shop
FAST_GROWTH: Final = 3.0  # assumption: the first platform's yearly growth; the others' is GROWTH
GROWTH: Final = 0.3
PERSON_LIMITS: Final = (200_000 * YUAN, 1_000_000 * YUAN)
FIRM_LIMITS: Final = (1_000_000 * YUAN, 5_000_000 * YUAN)
"""What a borrower may owe on one platform, and on all: 2016-08-24 measures, art. 17 (secondary source).
Honest platforms ask before they list."""
RELATED_SALARY: Final = 0.35  # assumption: share that employs somebody tied to the platform

CONGLOMERATES: Final = 2  # assumption: groups that own both a platform and a payment institution

# Payment institutions
SETTLEMENT_FEE_BP: Final = (38, 60)  # usual acquiring tariff 0.38–0.60 %
WALLET_OPENING_MEDIAN: Final = 1_500 * YUAN  # assumption
TOP_UPS_A_DAY: Final = 0.05  # assumption
WALLET_PURCHASES_A_DAY: Final = 0.25  # assumption: half from the wallet, half from the bound card
WALLET_WITHDRAWALS_A_DAY: Final = 0.01  # assumption
REFUND_RATE: Final = 0.015  # assumption: of purchases paid by card

# People and firms among themselves
TWO_BANKS: Final = 0.01  # assumption: people who often move money between accounts of their own

# Banks
CHARGEBACK_RATE: Final = 1 / 1_500  # assumption: purchases undone by the bank some days later
MISBOOKED_RATE: Final = 1 / 4_000  # assumption: card purchases booked with a wrong amount, and again rightly
UNREGISTERED: Final = 0.01  # assumption: people's cards that the supervisor's registry does not hold
PURPOSE_LEFT_OUT: Final = 0.02  # assumption: of the purposes on ordinary transfers

# Reporting. Assumption throughout, for banks publish no figures. That core business is to be up again
# within 4 hours is a rule (CBRC 2011 No. 104, secondary), which says nothing of reports; that banks leave
# transactions out of reports and send them later is on record (CBIRC's fines of 2020-05-09, secondary).
OUTAGES_A_YEAR: Final = 1.0  # per bank: its link to the supervisor is down for OUTAGE_HOURS
OUTAGE_HOURS: Final = (4, 60)  # log-uniform: one in four is longer than a day
LOST_BATCHES: Final = 1 / 3_000  # of a bank's batches: missed in a reconciliation LOST_FOR_DAYS later
LOST_FOR_DAYS: Final = (1, 8)

ROUND_DAYS: Final = 30
"""Each round plants every variant `Size.cases` times, where it can come to its end within the world."""
LATEST_START: Final = 14
"""Days into a round after which no case begins."""
