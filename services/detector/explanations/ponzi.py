"""借新还旧 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, percent


class Scheme(NamedTuple):
    """Over the last `days` days. `asset_minor`: from borrowers, guarantors and other income, but for
    `recycled_minor`, which borrowers had been lent just before."""

    platform: str
    first_us: int
    last_us: int
    days: int
    paid_minor: int
    asset_minor: int
    recycled_minor: int
    invested_minor: int
    funded_minor: int
    currency: str


def explanation(scheme: Scheme) -> Bilingual:
    first, last = day(scheme.first_us), day(scheme.last_us)
    paid, asset = amount(scheme.paid_minor, scheme.currency), amount(scheme.asset_minor, scheme.currency)
    came, funded = (
        amount(scheme.invested_minor, scheme.currency),
        amount(scheme.funded_minor, scheme.currency),
    )
    share = percent(scheme.funded_minor, scheme.paid_minor)
    recycled = amount(scheme.recycled_minor, scheme.currency)
    besides_zh = f"（另有 {recycled} 为借款人刚借入即还）" if scheme.recycled_minor else ""
    besides_en = f" ({recycled} besides had been lent just before)" if scheme.recycled_minor else ""
    return Bilingual(
        zh=(
            f"截至 {last} 的 {scheme.days} 天内，平台 {scheme.platform} 向投资人兑付 {paid}，借款人还款、担保"
            f"代偿等其他来源只有 {asset}{besides_zh}，同期投资人新投入 {came}。至少 {funded}"
            f"（占兑付的 {share}）只能来自后来投资人的资金，所示交易自 {first} 起。"
            "以其他客户资金兑付，属借新还旧，违反整治方案三.4。"
        ),
        en=(
            f"In the {scheme.days} days to {last}, platform {scheme.platform} paid investors {paid}, while"
            f" borrowers, guarantors and other income brought {asset}{besides_en} and investors paid in"
            f" {came}. At least {funded}, {share} of the payouts, can only be later investors' money; the"
            f" transfers shown begin on {first}. RP 三.4 forbids paying clients with other clients' money."
        ),
    )
