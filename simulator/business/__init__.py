"""Honest business. Order is the order in which they act each day; each draws from its own streams."""

from __future__ import annotations

from simulator.business.agents import Agents
from simulator.business.borrowers import Borrowers
from simulator.business.cash import Cash
from simulator.business.claims import Claims
from simulator.business.companies import Companies
from simulator.business.consumer_finance import ConsumerFinance
from simulator.business.corrections import Corrections
from simulator.business.crowdfunding import CrowdfundingBusiness
from simulator.business.custody_errors import CustodyErrors
from simulator.business.cut_off import CutOff
from simulator.business.funds import Funds
from simulator.business.habits import Habits
from simulator.business.households import Households
from simulator.business.investing import Investing
from simulator.business.lending import Lending
from simulator.business.living import Living
from simulator.business.marketplaces import Marketplaces
from simulator.business.payments import Payments
from simulator.business.payroll import Payroll
from simulator.business.private_products import PrivateProducts
from simulator.business.shopping import Shopping
from simulator.business.treasury import Treasury
from simulator.cast import Cast
from simulator.loans import ListingPlan
from simulator.today import Business


def businesses(cast: Cast, plan: ListingPlan, seed: int, start_us: int) -> tuple[Business, ...]:
    return (
        Payroll(cast),
        Companies(cast),
        Living(cast),
        Lending(cast, plan, seed, start_us),
        Claims(cast),
        Borrowers(cast),
        Investing(cast),
        ConsumerFinance(cast, seed),
        Payments(cast),
        Shopping(cast),
        Corrections(),
        CustodyErrors(cast),
        Habits(cast),
        CrowdfundingBusiness(cast, seed),
        Funds(cast),
        PrivateProducts(cast),
        Marketplaces(cast),
        CutOff(cast),
        Agents(cast),
        Households(cast),
        Cash(cast),
        Treasury(cast),
    )
