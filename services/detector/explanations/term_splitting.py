"""期限拆分 in sentences."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day

_NAMED: Final = 6


class Chain(NamedTuple):
    """`listings` in order, each repaid by the next; `borrowers`: parties, or the account where nobody knows
    them; `minor`: what was repaid so, in all."""

    platform: str
    borrowers: tuple[str, ...]
    listings: tuple[str, ...]
    first_us: int
    last_us: int
    principal_minor: int
    minor: int
    currency: str


def explanation(chain: Chain) -> Bilingual:
    whose_zh, whose_en = "借款人 " + "、".join(chain.borrowers), "borrower " + " and ".join(chain.borrowers)
    if len(chain.borrowers) > 1:
        whose_zh, whose_en = (
            f"相互关联的{whose_zh}",
            f"related {whose_en.replace('borrower', 'borrowers', 1)}",
        )
    first, last, count = day(chain.first_us), day(chain.last_us), len(chain.listings)
    principal, total = amount(chain.principal_minor, chain.currency), amount(chain.minor, chain.currency)
    names = " → ".join(chain.listings[-_NAMED:])
    return Bilingual(
        zh=(
            f"{first} 至 {last}，{whose_zh} 在平台 {chain.platform} 的 {count} 个标的首尾相接（{names}）："
            f"每个标的都由下一个标的募集的资金归还，共 {total}。实为一笔约 {principal} 的长期借款，"
            "拆成短期标的出售，违反整治方案二.1.1。"
        ),
        en=(
            f"From {first} to {last}, {count} listings of {whose_en} on platform {chain.platform} form a"
            f" chain ({names}): each was repaid with money raised by the next, {total} in all. In substance"
            f" it is one longer loan of about {principal} sold in short pieces, which RP 二.1.1 forbids."
        ),
    )
