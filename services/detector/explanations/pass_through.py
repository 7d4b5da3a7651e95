"""快进快出 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, masked, percent


class Passed(NamedTuple):
    """In `turns` turns `minor` passed, of `came_minor` that came in."""

    token: str
    first_us: int
    last_us: int
    turns: int
    minor: int
    came_minor: int
    within_hours: int
    currency: str


def explanation(one: Passed) -> Bilingual:
    first, last, account = day(one.first_us), day(one.last_us), masked(one.token)
    total, share = amount(one.minor, one.currency), percent(one.minor, one.came_minor)
    return Bilingual(
        zh=(
            f"{first} 至 {last}，账户 {account} 有 {one.turns} 次在资金到账后 {one.within_hours} 小时内"
            f"几乎全部转走，共 {total}，占同期转入的 {share}，账户上几乎不留余额。资金快进快出、"
            "过渡性质明显，属于《指导意见》十八要求监测的可疑交易。"
        ),
        en=(
            f"From {first} to {last} account {account} took money in and sent nearly all of it on within"
            f" {one.within_hours} hours, {one.turns} times: {total}, {share} of all that came in, so hardly"
            " anything stayed. An account that only passes money on is a suspicious pattern that GO 十八 has"
            " monitored."
        ),
    )
