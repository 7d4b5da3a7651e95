"""Planted misconduct: for each typology its variants, from clumsy to careful, and when they happen."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import Date
from simulator.loans import ListingPlan
from simulator.misconduct import (
    abnormal_return,
    borrower_cap,
    commingling,
    custody_bypass,
    down_payment_loan,
    margin_funding,
    maturity_mismatch,
    misappropriation,
    platform_lending,
    ponzi,
    pooling,
    reserve_misuse,
    round_tripping,
    self_guarantee,
    self_lending,
    straw_borrowers,
    term_splitting,
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
