"""资金回流 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.flows.loans import Arrival
from services.detector.wording import amount, day, masked, percent


class Round(NamedTuple):
    """`account`: the token of the account that the latest amount left; `minor`: what came back in all."""

    account: str
    others: int
    trips: int
    first_us: int
    minor: int
    currency: str


def explanation(around: Round, latest: Arrival) -> Bilingual:
    first, total, who = day(around.first_us), amount(around.minor, around.currency), masked(around.account)
    left, back = day(latest.loan[0].ts_us), day(latest.last[-1].ts_us)
    paid = amount(latest.disbursed_minor, around.currency)
    returned = amount(latest.arrived_minor, around.currency)
    share, others = percent(latest.arrived_minor, latest.disbursed_minor), around.others
    return Bilingual(
        zh=(
            f"自 {first} 起，账户 {who} 的持有人付出的资金 {around.trips} 次经他人绕回，共 {total}。"
            "最近一次："
            f"{left} 付出 {paid}，经过 {others} 方，至 {back} 有 {returned}（{share}）按先进先出回到其账户。"
            "资金空转回流可能用于虚构交易或自融（整治方案二.1.1），也是应当报告的可疑交易（指导意见十八）。"
        ),
        en=(
            f"Since {first}, money that the holder of account {who} had paid came back {around.trips} time(s)"
            f" over others, {total} in all. The latest: {paid} left on {left}, went through {others} others,"
            f" and by {back} {returned} of it ({share}), first in, first out, was back. Money that goes round"
            " may feign business or hide self-lending (RP 二.1.1) and is to be reported (GO 十八)."
        ),
    )
