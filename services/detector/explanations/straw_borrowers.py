"""虚构标的 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, masked, percent


class Straws(NamedTuple):
    """`receiver`: the token of an account of who got the money."""

    institution_id: str
    borrowers: int
    first_us: int
    disbursed_minor: int
    minor: int
    currency: str
    receiver: str


def explanation(straws: Straws) -> Bilingual:
    first, who, count = day(straws.first_us), straws.institution_id, straws.borrowers
    total, minor = (amount(each, straws.currency) for each in (straws.disbursed_minor, straws.minor))
    share, receiver = percent(straws.minor, straws.disbursed_minor), masked(straws.receiver)
    return Bilingual(
        zh=(
            f"自 {first} 起，平台 {who} 的 {count} 名借款人共获放款 {total}，按先进先出追踪，其中 {minor}"
            f"（{share}）最终转给同一收款人（账户 {receiver}）。名义借款人可能只是代人借款，标的涉嫌虚构，"
            "违反整治方案二.1.1。"
        ),
        en=(
            f"From {first}, {count} borrowers of platform {who} were lent {total}; followed first in, first"
            f" out, {minor} of it ({share}) went to one and the same receiver (account {receiver}). They may"
            " have borrowed for somebody else: invented listings are forbidden by RP 二.1.1."
        ),
    )
