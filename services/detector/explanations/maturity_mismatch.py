"""期限错配 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Mismatch(NamedTuple):
    """Of one listing. `came_minor`: from its borrower and guarantors; `minor`: paid ahead of that out
    of later investors' money."""

    platform: str
    listing: str
    first_us: int
    last_us: int
    paid_minor: int
    came_minor: int
    minor: int
    currency: str


def explanation(mismatch: Mismatch) -> Bilingual:
    first, last = day(mismatch.first_us), day(mismatch.last_us)
    paid, came = (
        amount(mismatch.paid_minor, mismatch.currency),
        amount(mismatch.came_minor, mismatch.currency),
    )
    minor = amount(mismatch.minor, mismatch.currency)
    return Bilingual(
        zh=(
            f"截至 {last}，平台 {mismatch.platform} 的标的 {mismatch.listing} 已向出借人兑付 {paid}，"
            f"而借款人和担保人只付来 {came}。自 {first} 起的交易表明，其中至少 {minor} 本金先于资产回款、"
            "以后来投资人的资金兑付。构成期限错配，违反整治方案二.1.1。"
        ),
        en=(
            f"By {last}, listing {mismatch.listing} of platform {mismatch.platform} had paid its investors"
            f" {paid}, while its borrower and guarantors had paid in {came}. The transfers since {first} show"
            f" that at least {minor} of principal was paid before the asset paid, with later investors'"
            " money. RP 二.1.1 forbids such a mismatch of terms."
        ),
    )
