"""备付金分散存放 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.beijing import midnight_us
from services.detector.wording import amount, day, masked


class Elsewhere(NamedTuple):
    """At least `minor`, come in from `first_us` on, lay in an account of `role` at `bank` at the end of
    day `night`."""

    institution_id: str
    role: Bilingual
    token: str
    bank: str
    first_us: int
    night: int
    minor: int
    currency: str


def explanation(one: Elsewhere) -> Bilingual:
    first, night = day(one.first_us), day(midnight_us(one.night))
    total, account = amount(one.minor, one.currency), masked(one.token)
    who = one.institution_id
    return Bilingual(
        zh=(
            f"支付机构 {who} 在 {one.bank} 开立的{one.role.zh} {account} 自 {first} 起收到客户资金，"
            f"{night} 日终仍存有至少 {total}，没有在当日划入人民银行。备付金须存放在人民银行或当日规定允许的"
            "银行，2019-01-14 起须全部集中交存，见整治方案二.3.1。"
        ),
        en=(
            f"The {one.role.en} {account} of payment institution {who} at {one.bank} has taken in clients'"
            f" money since {first} and still held at least {total} at the end of {night}: it was not placed"
            " with the central bank that day. RP 二.3.1 has reserves kept at the central bank or at a bank"
            " allowed on that date; since 2019-01-14 all of them lie with the central bank."
        ),
    )
