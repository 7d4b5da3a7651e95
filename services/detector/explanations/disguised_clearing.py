"""变相跨行清算 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Cleared(NamedTuple):
    """`pairs` payments in at `from_banks` that were each paid out at `to_bank`; `minor` paid out."""

    institution_id: str
    from_banks: tuple[str, ...]
    to_bank: str
    first_us: int
    last_us: int
    pairs: int
    minor: int
    within_hours: int
    currency: str


def explanation(one: Cleared) -> Bilingual:
    first, last, total = day(one.first_us), day(one.last_us), amount(one.minor, one.currency)
    banks = one.from_banks
    return Bilingual(
        zh=(
            f"{first} 至 {last}，机构 {one.institution_id} 有 {one.pairs} 次在 {'、'.join(banks)} 的账户收到"
            f"第三方款项，{one.within_hours} 小时内又从 {one.to_bank} 的账户向另一第三方付出相符金额，"
            f"共 {total}，其间没有经过清算机构。支付机构连接多家银行替他人跨行划转，构成变相跨行清算嫌疑，"
            "违反整治方案二.3.2。"
        ),
        en=(
            f"From {first} to {last} institution {one.institution_id} {one.pairs} times took a third party's"
            f" money in at {', '.join(banks)} and within {one.within_hours} hours paid a matching amount to"
            f" another third party out of an account at {one.to_bank}: {total} in all, with no clearing house"
            " in between. Moving money between banks for others is clearing, which RP 二.3.2 leaves to"
            " licensed clearing institutions."
        ),
    )
