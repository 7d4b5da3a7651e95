"""畸高回报 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, percent

_WHOLE = 10_000


class Cohort(NamedTuple):
    """Investors of one listing. `income_minor`: what they got beyond their principal, `gifts_minor` of
    it as gifts."""

    platform: str
    listing: str
    first_us: int
    last_us: int
    clients: int
    invested_minor: int
    income_minor: int
    gifts_minor: int
    rate_bp: int
    cap_bp: int
    currency: str


def explanation(cohort: Cohort) -> Bilingual:
    first, last = day(cohort.first_us), day(cohort.last_us)
    invested = amount(cohort.invested_minor, cohort.currency)
    income, gifts = amount(cohort.income_minor, cohort.currency), amount(cohort.gifts_minor, cohort.currency)
    rate, cap = percent(cohort.rate_bp, _WHOLE), percent(cohort.cap_bp, _WHOLE)
    with_zh = f"（含补贴 {gifts}）" if cohort.gifts_minor else ""
    with_en = f", gifts of {gifts} among it," if cohort.gifts_minor else ""
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {cohort.platform} 的标的 {cohort.listing} 向 {cohort.clients} 名投资人"
            f"付款。投资人投入 {invested}，本金之外已得 {income}{with_zh}，按占用本金和时间折合年化 {rate}，"
            f"超过当时上限 {cap}。超高回报和变相补贴违反整治方案三.4。"
        ),
        en=(
            f"From {first} to {last}, listing {cohort.listing} of platform {cohort.platform} paid"
            f" {cohort.clients} investors. They had put in {invested} and got {income}{with_en} beyond their"
            f" principal: {rate} a year on what was out for as long as it was, while the cap was {cap}."
            " RP 三.4 has extreme returns and disguised subsidies cleaned up."
        ),
    )
