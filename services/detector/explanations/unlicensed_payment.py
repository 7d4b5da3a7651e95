"""无证支付、二清 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, masked

_WAYS = {
    "day": Bilingual(zh="逐日结算", en="day by day"),
    "order": Bilingual(zh="逐单结算", en="order by order"),
    "payment": Bilingual(zh="逐笔结算", en="payment by payment"),
}


class Settled(NamedTuple):
    """`came_minor` collected, by `collectors` accounts besides where there are any, and `left_minor` paid
    on, at a fee of `rate_tenths` of a basis point."""

    token: str
    collectors: int
    way: str
    first_us: int
    last_us: int
    payers: int
    payees: int
    came_minor: int
    left_minor: int
    rate_tenths: int
    currency: str


def explanation(one: Settled) -> Bilingual:
    first, last, account = day(one.first_us), day(one.last_us), masked(one.token)
    came, left = amount(one.came_minor, one.currency), amount(one.left_minor, one.currency)
    rate = f"{one.rate_tenths // 1000}.{one.rate_tenths % 1000:03d}%"
    way = _WAYS[one.way]
    zh = f"账户 {account}（由另外 {one.collectors} 个账户代收）" if one.collectors else f"账户 {account} "
    en = (
        f"account {account}, for which {one.collectors} others collect,"
        if one.collectors
        else f"account {account}"
    )
    return Bilingual(
        zh=(
            f"{first} 至 {last}，{zh}向 {one.payers} 名付款人收款共 {came}，又向 {one.payees} 个"
            f"收款方付款共 {left}。付出的款项与收到的款项{way.zh}，扣除的费率稳定在约 {rate}。"
            "持有人没有支付业务许可，涉嫌无证经营商户资金结算（二清），违反整治方案二.3.3。"
        ),
        en=(
            f"From {first} to {last} {en} collected {came} from {one.payers} payers and paid"
            f" {left} to {one.payees} payees. What it paid answers to what it collected {way.en}, less a fee"
            f" at a steady rate of about {rate}. Its holder has no payment licence: settling merchants' money"
            " without one is what RP 二.3.3 forbids."
        ),
    )
