"""首付贷 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.flows.loans import Arrival
from services.detector.wording import amount, day, masked, percent


class Purchase(NamedTuple):
    """`payee`: the token of the account of real estate that was paid last."""

    institution_id: str
    listing: str
    payee: str
    is_developer: bool
    currency: str


def explanation(purchase: Purchase, arrival: Arrival) -> Bilingual:
    first, total = day(arrival.loan[0].ts_us), amount(arrival.disbursed_minor, purchase.currency)
    who, what, payee = purchase.institution_id, purchase.listing, masked(purchase.payee)
    arrived = amount(arrival.arrived_minor, purchase.currency)
    share = percent(arrival.arrived_minor, arrival.disbursed_minor)
    kind = (
        ("房地产开发商", "a property developer")
        if purchase.is_developer
        else ("房地产企业", "a property firm")
    )
    if arrival.last:
        last = day(arrival.last[-1].ts_us)
        zh = f"按先进先出追踪，至 {last} 其中 {arrived}（{share}）经一手或多手转账进入{kind[0]}账户 {payee}。"
        en = (
            f"Followed first in, first out, {arrived} of it ({share}) had by {last} reached the account"
            f" {payee} of {kind[1]} over one or more transfers."
        )
    else:
        zh, en = (
            f"放款直接进入{kind[0]}账户 {payee}。",
            f"It went straight to the account {payee} of {kind[1]}.",
        )
    return Bilingual(
        zh=(
            f"平台 {who} 的标的 {what} 自 {first} 起共放款 {total}。{zh}"
            "借款用于支付购房款，涉嫌首付贷或违规房地产金融业务，违反整治方案二.1.4。"
        ),
        en=(
            f"From {first}, {total} was disbursed for listing {what} of platform {who}. {en} Platforms must"
            " not finance down payments or real estate: RP 二.1.4."
        ),
    )
