"""拆分交易 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from schemas.registry import PartyKind
from services.detector.beijing import midnight_us
from services.detector.channels import CASH, CROSS_BORDER
from services.detector.wording import amount, day, masked


class Split(NamedTuple):
    """`parts` transfers of one Beijing day, each below `limit_minor`, `minor` together."""

    customer: str
    day: int
    channel: str
    kind: PartyKind | None
    limit_minor: int
    minor: int
    parts: int


def explanation(split: Split) -> Bilingual:
    date, who = day(midnight_us(split.day)), masked(split.customer)
    limit, total = amount(split.limit_minor, "CNY"), amount(split.minor, "CNY")
    kind = _limit_of(split)
    return Bilingual(
        zh=(
            f"{date}，客户 {who} 有 {split.parts} 笔交易，每笔都低于{kind.zh}大额交易报告限额 {limit}，"
            f"合计 {total}，已达到限额。单笔压在限额之下而当日累计达到限额，有拆分交易、规避报告的嫌疑；"
            "《指导意见》十八要求监测并报告可疑交易。"
        ),
        en=(
            f"On {date} customer {who} made {split.parts} transactions, each below the reporting limit of"
            f" {limit} {kind.en}, and {total} together, which reaches it. Payments kept under the limit that"
            " pass it in one day look like structuring to escape the report; GO 十八 has suspicious"
            " transactions monitored and reported."
        ),
    )


def _limit_of(split: Split) -> Bilingual:
    if split.channel == CASH:
        return Bilingual(zh="现金", en="for cash")
    if split.kind is PartyKind.company:
        return Bilingual(zh="单位转账", en="for a company's transfers")
    if split.channel == CROSS_BORDER:
        return Bilingual(zh="个人跨境", en="for a person's cross-border transfers")
    return Bilingual(zh="个人转账", en="for a person's transfers")
