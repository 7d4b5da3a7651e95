"""跑路 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, percent


class Drain(NamedTuple):
    """`available_minor`: what would still be there, had no such payment been made."""

    institution_id: str
    first_us: int
    last_us: int
    minor: int
    available_minor: int
    currency: str
    receivers: int
    related: int
    persons: int
    new: int
    stated: bool


def explanation(drain: Drain) -> Bilingual:
    first, last = day(drain.first_us), day(drain.last_us)
    total, available = amount(drain.minor, drain.currency), amount(drain.available_minor, drain.currency)
    share = percent(drain.minor, max(1, drain.available_minor))
    by = Bilingual(zh="对账单余额", en="by the banks' statements")
    if not drain.stated:
        by = Bilingual(
            zh="部分账户没有对账单，按已见流水估计", en="estimated from flows where there is no statement"
        )
    return Bilingual(
        zh=(
            f"{first} 至 {last}，机构 {drain.institution_id} 控制的账户向 {drain.receivers} 个收款方"
            f"转出 {total}，占其可动用资金 {available}（{by.zh}）的 {share}。"
            f"收款方中关联方 {drain.related} 个、个人 {drain.persons} 个、此前从未付过款的 {drain.new} 个，"
            "均不是客户、借款人或备案收款人。"
            "资金集中外逃是跑路的前兆；客户资金须存管、不得挪用占用，见整治方案二.1.3。"
        ),
        en=(
            f"From {first} to {last} the accounts controlled by institution {drain.institution_id}"
            f" paid {total} to {drain.receivers} receivers: {share} of the {available} at its disposal"
            f" ({by.en})."
            f" Of the receivers {drain.related} are related parties, {drain.persons} are persons and"
            f" {drain.new} had never been paid before; none is a client, a borrower or a filed receiver."
            " Money that leaves like this precedes the flight of an institution; clients' money must stay in"
            " custody (RP 二.1.3)."
        ),
    )
