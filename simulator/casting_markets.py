"""Making the markets besides lending and payments."""

from __future__ import annotations

from simulator import parameters as p
from simulator.cast import Company, Payee, PaymentInstitution, People, Platform
from simulator.casting_agents import (
    agents,
    importers,
    marketplaces,
    own_accounts,
    regular,
    savings,
    services,
    settlements,
    transits,
)
from simulator.casting_crowdfunding import crowdfunding_platforms
from simulator.casting_funds import managers, wealthy
from simulator.markets import Markets
from simulator.register import Register


def cast_markets(
    register: Register,
    seed: int,
    size: p.Size,
    start_us: int,
    days: int,
    *,
    people: People,
    firms: tuple[Company, ...],
    tax_office: Payee,
    platforms: tuple[Platform, ...],
    payment_institutions: tuple[PaymentInstitution, ...],
) -> Markets:
    crowdfunding = crowdfunding_platforms(register, seed, size, people, start_us, days)
    investors = wealthy(register, seed, size)
    houses = managers(register, seed, size, people, payment_institutions, investors, start_us)
    return Markets(
        crowdfunding=crowdfunding,
        managers=houses,
        wealthy=investors,
        settlements=settlements(register, seed, platforms, crowdfunding),
        services=services(register, platforms, payment_institutions, houses),
        marketplaces=marketplaces(register, seed, size, payment_institutions),
        agents=agents(register, seed, size, people, firms),
        regular=regular(register, seed, size, people, firms),
        savings=savings(register, seed, size, people, tax_office.account),
        transits=transits(register, payment_institutions),
        own_accounts=own_accounts(register, platforms, payment_institutions),
        interest=tuple(
            register.pattern("own_account_interest", (firm.filed_own,)) for firm in payment_institutions
        ),
        in_flight=tuple(register.pattern("in_flight", (firm.reserve,)) for firm in payment_institutions),
        importers=importers(seed, firms),
    )
