"""拆分销售 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Resale(NamedTuple):
    """`product`: "" where no payment names it. `is_holder`: the seller was seen to pay into it."""

    seller: str
    product: str
    institution_id: str | None
    buyers: int
    sales: int
    first_us: int
    last_us: int
    minor: int
    currency: str
    is_holder: bool


def explanation(resale: Resale) -> Bilingual:
    first, last, total = day(resale.first_us), day(resale.last_us), amount(resale.minor, resale.currency)
    which = resale.product or "?"
    held_zh = "曾认购该产品，" if resale.is_holder else ""
    held_en = ", who had paid into it," if resale.is_holder else ""
    return Bilingual(
        zh=(
            f"{resale.seller} {held_zh}{first} 至 {last} 以 {resale.sales} 笔、共 {total}"
            f" 将私募产品 {which} 的份额拆分转让给 {resale.buyers} 名不是合格投资者的买方。"
            "未经批准不得把私募产品拆分后向公众销售，此举违反整治方案二.2.2。"
        ),
        en=(
            f"From {first} to {last}, {resale.seller}{held_en} sold claims on the private product {which} in"
            f" {resale.sales} parts for {total} to {resale.buyers} buyers who are not qualified investors."
            " Privately raised products must not be split for sale to the public (RP 二.2.2)."
        ),
    )
