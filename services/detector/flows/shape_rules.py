"""What makes a shape among strangers a suspicion in itself, where there is a registry.

With a registry everyday receivers and payers are known (shops, employers, landlords, utilities, the tax
office, institutions' accounts, filed agents) and left out, books.strangers. What is left are
private dealings, and those have a pace: people begin to deal with a new account now and then, a crew works
its accounts off. So a shape is suspect by itself when it is brisk (at least one new relation a day), when
it moves as much as is reported in cash, and, where money passes through, when it is nearly all passed on.
Without a registry a shop or a club has the same shape, and more must be known: exact commissions, or
accounts named by earlier alerts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from statistics import median_low
from typing import Final

from compiled import kernel
from schemas.alert import Factor
from schemas.instant import DAY
from services.detector.books.strangers import Strangers
from services.detector.legs import Leg
from services.detector.typology import factor

MATERIAL_MINOR: Final = 5_000_000
MATERIAL_SOURCE: Final = "PBoC Order 2016-3 (s): CNY 50,000, the cash of a day that is reported"
CROWD: Final = 4
CROWD_SOURCE: Final = "assumption: three may be a family, as of fans"
_LEAST_PERCENT: Final = 80
_MOST_PERCENT: Final = 120
"""At most a fifth is kept (Europol on money mules), or added of one's own."""
_BAND: Final = 10
_MOST_ASKED: Final = 20
"""Accounts whose other payees are looked at."""


def minor_of(legs: Iterable[Leg]) -> int:
    return sum(leg.amount_minor for leg in legs)


def days_of(first_us: int, now_us: int) -> int:
    """Begun days, one at least."""
    return max(1, -(-(now_us - first_us) // DAY))


def is_passed_on(received_minor: int, paid_minor: int) -> bool:
    """Nearly all of it, and little else."""
    return _LEAST_PERCENT * received_minor <= 100 * paid_minor <= _MOST_PERCENT * received_minor


@kernel
def passes_on(received_minor: int, paid_minor: int) -> bool:
    """is_passed_on(), in kernels."""
    return passes_enough(received_minor, paid_minor) and adds_little(received_minor, paid_minor)


@kernel
def adds_little(received_minor: int, paid_minor: int) -> bool:
    """Of its own, if anything."""
    return 100 * paid_minor <= _MOST_PERCENT * received_minor


@kernel
def passes_enough(received_minor: int, paid_minor: int) -> bool:
    """Nearly all of it, or more."""
    return _LEAST_PERCENT * received_minor <= 100 * paid_minor


@kernel
def count_days(first_us: int, now_us: int) -> int:
    """days_of(), in kernels."""
    return max(1, -((first_us - now_us) // DAY))


def alike(legs: Sequence[Leg]) -> list[Leg]:
    """Those of one order of magnitude: between a tenth and ten times the median."""
    if not legs:
        return []
    middle = median_low(leg.amount_minor for leg in legs)
    return [leg for leg in legs if middle <= _BAND * leg.amount_minor <= _BAND * _BAND * middle]


def pay_another(strangers: Strangers, payers: Collection[int], payee: int) -> bool:
    """All payers of one account, two or more, pay yet another one: they are a layer among layers, not the
    spokes of one hub. To be asked of those who may be done, not of the latest."""
    return _is_shared([{leg.dst for leg in strangers.out_of(one)} for one in _asked(payers)], payee)


def are_paid_by_another(strangers: Strangers, payees: Collection[int], payer: int) -> bool:
    """The same of the payees of one account."""
    return _is_shared([{leg.src for leg in strangers.into(one)} for one in _asked(payees)], payer)


def _asked(accounts: Collection[int]) -> list[int]:
    return sorted(accounts)[:_MOST_ASKED]


def _is_shared(dealt_with: Sequence[set[int]], hub: int) -> bool:
    return len(dealt_with) > 1 and bool(set.intersection(*dealt_with) - {hub})


def pace(relations: int, days: int) -> Factor:
    zh = f"{days} 天内新建立 {relations} 个往来关系，常人每天不到一个"
    en = f"{relations} new relations within {days} day(s), where people begin less than one a day"
    return factor("pace", 30, zh, en)


def passed_on(received_minor: int, paid_minor: int) -> Factor:
    percent = 100 * paid_minor // received_minor
    return factor("passed_on", 10, f"收到的钱有 {percent}% 随即转出", f"{percent}% of what came in went on")
