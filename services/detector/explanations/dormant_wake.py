"""闲置账户突然启用 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, masked


class Wake(NamedTuple):
    """After `idle_days` without a movement, `came_minor` came in and `left_minor` went out."""

    token: str
    first_us: int
    last_us: int
    idle_days: int
    came_minor: int
    left_minor: int
    currency: str


def explanation(one: Wake) -> Bilingual:
    first, last, account = day(one.first_us), day(one.last_us), masked(one.token)
    came, left = amount(one.came_minor, one.currency), amount(one.left_minor, one.currency)
    return Bilingual(
        zh=(
            f"账户 {account} 闲置 {one.idle_days} 天后突然启用：{first} 至 {last} 从他人转入 {came}，"
            f"向他人转出 {left}。长期闲置的账户短期内大额收付，属于《指导意见》十八要求监测的可疑交易。"
        ),
        en=(
            f"Account {account} had not moved for {one.idle_days} days; from {first} to {last} others paid"
            f" {came} into it and it paid {left} to others. A dormant account that suddenly moves large"
            " amounts is a suspicious pattern that GO 十八 has monitored."
        ),
    )
