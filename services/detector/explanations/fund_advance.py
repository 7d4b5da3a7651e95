"""垫付赎回 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Advance(NamedTuple):
    """`payouts` payouts of which `minor` is uncovered; `product_id` "": not stated."""

    institution_id: str
    product_id: str
    first_us: int
    last_us: int
    payouts: int
    minor: int
    currency: str


def explanation(one: Advance) -> Bilingual:
    first, last, total = day(one.first_us), day(one.last_us), amount(one.minor, one.currency)
    zh = f"产品 {one.product_id}" if one.product_id else "未注明产品"
    en = f"product {one.product_id}" if one.product_id else "products that are not named"
    return Bilingual(
        zh=(
            f"{first} 至 {last}，支付机构 {one.institution_id} 的备付金账户就{zh}向客户支付赎回款"
            f" {one.payouts} 笔，其中 {total} 在付出时基金一方的款项尚未到账。备付金是其他客户的钱，"
            "只能用于客户委托的支付，不得垫付基金等产品的赎回，见《指导意见》十。"
        ),
        en=(
            f"From {first} to {last} the reserve account of payment institution {one.institution_id} paid"
            f" clients {one.payouts} redemptions of {en}; {total} of it went out before the fund's money had"
            " come in. Reserves are other clients' money and serve only payments that clients ordered; GO 十"
            " forbids advancing redemptions out of them."
        ),
    )
