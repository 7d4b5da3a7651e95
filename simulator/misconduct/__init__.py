"""Planted misconduct: for each typology its variants, from clumsy to careful, and when they happen."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import Date
from simulator.loans import ListingPlan
from simulator.misconduct import (
    abnormal_return,
    bipartite,
    borrower_cap,
    commingling,
    custody_bypass,
    disguised_clearing,
    disguised_debt,
    dormant_wake,
    down_payment_loan,
    exit_drain,
    fan_in,
    fan_out,
    firewall_breach,
    fund_advance,
    gather_scatter,
    investor_limit,
    margin_funding,
    maturity_mismatch,
    misappropriation,
    nested_products,
    pass_through,
    platform_lending,
    ponzi,
    pooling,
    redemption_run,
    reserve_interest,
    reserve_location,
    reserve_misuse,
    reserve_shortfall,
    round_tripping,
    scatter_gather,
    self_guarantee,
    self_lending,
    self_raise,
    split_sale,
    stack,
    straw_borrowers,
    structuring,
    term_splitting,
    unlicensed_payment,
)
from simulator.misconduct.case import Plan, Play, Variant
from simulator.streams import stream

TYPOLOGIES: Final = (
    ("pooling", pooling.VARIANTS),
    ("self_lending", self_lending.VARIANTS),
    ("reserve_misuse", reserve_misuse.VARIANTS),
    ("round_tripping", round_tripping.VARIANTS),
    ("self_guarantee", self_guarantee.VARIANTS),
    ("platform_lending", platform_lending.VARIANTS),
    ("maturity_mismatch", maturity_mismatch.VARIANTS),
    ("term_splitting", term_splitting.VARIANTS),
    ("straw_borrowers", straw_borrowers.VARIANTS),
    ("commingling", commingling.VARIANTS),
    ("custody_bypass", custody_bypass.VARIANTS),
    ("misappropriation", misappropriation.VARIANTS),
    ("ponzi", ponzi.VARIANTS),
    ("abnormal_return", abnormal_return.VARIANTS),
    ("margin_funding", margin_funding.VARIANTS),
    ("down_payment_loan", down_payment_loan.VARIANTS),
    ("borrower_cap", borrower_cap.VARIANTS),
    ("disguised_debt", disguised_debt.VARIANTS),
    ("self_raise", self_raise.VARIANTS),
    ("investor_limit", investor_limit.VARIANTS),
    ("exit_drain", exit_drain.VARIANTS),
    ("redemption_run", redemption_run.VARIANTS),
    ("reserve_shortfall", reserve_shortfall.VARIANTS),
    ("reserve_interest", reserve_interest.VARIANTS),
    ("reserve_location", reserve_location.VARIANTS),
    ("fund_advance", fund_advance.VARIANTS),
    ("disguised_clearing", disguised_clearing.VARIANTS),
    ("unlicensed_payment", unlicensed_payment.VARIANTS),
    ("nested_products", nested_products.VARIANTS),
    ("split_sale", split_sale.VARIANTS),
    ("firewall_breach", firewall_breach.VARIANTS),
    ("fan_in", fan_in.VARIANTS),
    ("fan_out", fan_out.VARIANTS),
    ("gather_scatter", gather_scatter.VARIANTS),
    ("scatter_gather", scatter_gather.VARIANTS),
    ("bipartite", bipartite.VARIANTS),
    ("stack", stack.VARIANTS),
    ("pass_through", pass_through.VARIANTS),
    ("structuring", structuring.VARIANTS),
    ("dormant_wake", dormant_wake.VARIANTS),
)


class Case(NamedTuple):
    """One planted case: it acts from day `first` on, and has come to its end before day `end`."""

    name: str
    typology: str
    variant: Variant
    first: int
    end: int


def scheduled(seed: int, size: p.Size, start_us: int, days: int) -> tuple[Case, ...]:
    """The cases that can come to their end within `days`, in the order of their ends: those of a shorter
    world are the first ones of a longer. The first variant of each typology starts on the first day of
    each round, the others on days of their own; all of them clear of weekends and festivals."""
    cases = []
    for round_day in range(0, days, p.ROUND_DAYS):
        for typology, variants in TYPOLOGIES:
            for rank, variant in enumerate(variants):
                for copy in range(size.cases):
                    name = f"{typology} {variant.name} {round_day} {copy}"
                    first = round_day
                    if rank or copy:
                        first += int(stream(seed, "start", name).integers(1, p.LATEST_START + 1))
                    first = _quiet(first, start_us)
                    cases.append(Case(name, typology, variant, first, first + variant.days))
    return tuple(sorted((case for case in cases if case.end <= days), key=lambda case: case.end))


def _quiet(day: int, start_us: int) -> int:
    """The first working day from `day` on that is not followed by a festival within the week."""
    while not Date(day, start_us).working or any(Date(day + n, start_us).holiday for n in range(1, 6)):
        day += 1
    return day


def plan_cases(
    cast: Cast, listings: ListingPlan, seed: int, size: p.Size, start_us: int, days: int
) -> tuple[tuple[str, Play], ...]:
    """Each scheduled case by name, cast and ready to be played."""
    return tuple(
        (case.name, case.variant.prepare(Plan(cast, listings, start_us, case.first, rng, *case[1:3])))
        for case in scheduled(seed, size, start_us, days)
        for rng in (stream(seed, "case", case.name),)
    )
