"""明股实债 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, percent

_MILLION = 1_000_000
_WHOLE = 10_000


class Debt(NamedTuple):
    """`ratio_ppm`: of one payment to the stake, where the stakes are `known`; `back_minor`: what was
    given back of the stakes."""

    product: str
    institution_id: str
    first_us: int
    last_us: int
    minor: int
    currency: str
    payments: int
    ratio_ppm: int
    known: bool
    interval_days: int
    back_minor: int
    rate_bp: int


def explanation(debt: Debt) -> Bilingual:
    first, last, total = day(debt.first_us), day(debt.last_us), amount(debt.minor, debt.currency)
    zh = [
        f"{first} 至 {last}，股权众筹平台 {debt.institution_id} 的项目 {debt.product}"
        f" 共向支持者支付 {total}。"
    ]
    en = [
        f"From {first} to {last}, {total} was paid to the backers of project {debt.product} of equity"
        f" platform {debt.institution_id}."
    ]
    if debt.payments:
        ratio = percent(debt.ratio_ppm, _MILLION)
        of_stake = f"，每次约为出资的 {ratio}" if debt.known else "，每次金额相同"
        of_stakes = f"about {ratio} of the stake each" if debt.known else "of the same amount each"
        zh.append(f"其中 {debt.payments} 次按固定比例支付{of_stake}，间隔约 {debt.interval_days} 天。")
        en.append(f"{debt.payments} payments were fixed, {of_stakes}, about {debt.interval_days} days apart.")
    if debt.back_minor:
        back = amount(debt.back_minor, debt.currency)
        zh.append(f"出资已以 {back} 退还。")
        en.append(f"Stakes were given back with {back}.")
    if debt.rate_bp:
        rate = percent(debt.rate_bp, _WHOLE)
        zh.append(f"项目登记的年收益率为 {rate}。")
        en.append(f"The project's registered rate is {rate} a year.")
    zh.append("股权投资的回报应随盈亏变动；还本付息即为明股实债，违反整治方案二.1.2。")
    en.append("Equity shares profit and loss; fixed pay and principal back are debt (RP 二.1.2).")
    return Bilingual(zh="".join(zh), en=" ".join(en))
