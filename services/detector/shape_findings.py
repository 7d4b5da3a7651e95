"""What the findings of all laundering shapes have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from schemas.alert import Citation, Factor
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.books.strangers import Strangers
from services.detector.explanations.shapes import Shown, explanation
from services.detector.legs import Leg
from services.detector.severity import by_amount
from services.detector.typology import Context, Finding, factor, lacking, shown

LAW: Final = (Citation(document="GO", article="十八"),)
NEEDS: Final = ("registry.account", "feed.purpose")
LOOK_ALIKES: Final = (
    Bilingual(zh="顾客众多的商户", en="a shop with many buyers"),
    Bilingual(zh="代发工资", en="payroll"),
    Bilingual(zh="房租", en="rent"),
    Bilingual(zh="水电燃气缴费", en="utilities"),
    Bilingual(zh="周期性转账", en="periodical transfers"),
    Bilingual(zh="相互往来", en="mutual transfers"),
)
NEW: Final = factor(
    "strangers", 40, "各方此前互不往来", "none of the parties had dealt with each other before"
)


def named(suspects: Sequence[int]) -> Factor:
    """Ten points each, forty at most."""
    count = len(suspects)
    zh, en = (
        f"其中 {count} 个账户已在此前的预警中出现",
        f"{count} of the accounts were named by earlier alerts",
    )
    return factor("named", min(40, 10 * count), zh, en)


def commission(percent: int, chance_ppm: int) -> Factor:
    """Thirty points; ten more where it would happen by accident at most once in ten thousand."""
    kept = 100 - percent
    zh = f"中间账户恰好留下 {kept}%，其余悉数转出" if kept else "收到多少转出多少，分文不差"
    en = (
        f"the middle keeps exactly {kept}% and passes the rest on"
        if kept
        else "all of it passed on, to the cent"
    )
    return factor("commission", 40 if chance_ppm <= 100 else 30, zh, en)


def finding(
    context: Context,
    strangers: Strangers,
    parameters: Any,
    *,
    subject: int,
    accounts: Iterable[int],
    legs: Sequence[Leg],
    minor: int,
    reasons: Sequence[Factor],
    what: Bilingual,
) -> Finding:
    """`minor`: what was laundered, each unit once however many legs it took."""
    involved = tuple(sorted(set(accounts)))
    entities = strangers.entities
    unknown = {
        "registry.account": not all(entities.accounts(account) for account in involved),
        "feed.purpose": any(leg.purpose == Purpose.unknown for leg in legs),
    }
    missing = tuple(name for name, is_unknown in unknown.items() if is_unknown)
    currency = context.graph.currency(legs[0].currency)
    said = Shown(legs, minor, currency, what, [one.because for one in reasons], entities.registered)
    return Finding(
        subject=context.subject(subject),
        institution_id=None,
        accounts=involved,
        attributed=lambda: {leg.seq: leg.amount_minor for leg in legs},
        amount_minor=minor,
        currency=currency,
        confidence=(*reasons, *lacking(missing, 5)),
        severity=lambda: _severity(len(involved), minor, currency),
        law=LAW,
        parameters=shown(parameters),
        explanation=lambda: explanation(said),
        missing=missing,
        limits=strangers.limits,
    )


def _severity(accounts: int, minor: int, currency: str) -> tuple[Factor, ...]:
    crowd = next(points for least, points in ((20, 20), (10, 15), (5, 10), (0, 5)) if accounts >= least)
    return (
        factor("rule", 35, "疑似洗钱的资金网络", "a network of transfers like those of launderers"),
        by_amount(minor, currency),
        factor("crowd", crowd, f"涉及 {accounts} 个账户", f"{accounts} accounts are concerned"),
    )
