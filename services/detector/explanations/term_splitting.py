"""期限拆分 in sentences."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, masked

_NAMED: Final = 6


class Chain(NamedTuple):
    """`listings` in order, each repaid by the next; `borrower` is "" where only its account `token` is
    known; `minor`: what was repaid so, in all."""

    platform: str
    borrower: str
    token: str
    listings: tuple[str, ...]
    first_us: int
    last_us: int
    principal_minor: int
    minor: int
    currency: str


def explanation(chain: Chain) -> Bilingual:
    who = chain.borrower or masked(chain.token)
    first, last, count = day(chain.first_us), day(chain.last_us), len(chain.listings)
    principal, total = amount(chain.principal_minor, chain.currency), amount(chain.minor, chain.currency)
    names = " → ".join(chain.listings[-_NAMED:])
    return Bilingual(
        zh=(
            f"{first} 至 {last}，借款人 {who} 在平台 {chain.platform} 的 {count} 个标的首尾相接（{names}）："
            f"每个标的都由下一个标的募集的资金归还，共 {total}。实为一笔约 {principal} 的长期借款，"
            "拆成短期标的出售，违反整治方案二.1.1。"
        ),
        en=(
            f"From {first} to {last}, {count} listings of borrower {who} on platform {chain.platform} form a"
            f" chain ({names}): each was repaid with money raised by the next, {total} in all. In substance"
            f" it is one longer loan of about {principal} sold in short pieces, which RP 二.1.1 forbids."
        ),
    )
