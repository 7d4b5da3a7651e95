"""自筹 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, percent


class Raised(NamedTuple):
    """`minor` of `whole_minor`, from `parties`, of which `nominees` lent their names."""

    product: str
    institution_id: str
    first_us: int
    whole_minor: int
    minor: int
    currency: str
    parties: int
    nominees: int
    of_platform: bool


def explanation(raised: Raised) -> Bilingual:
    first, share = day(raised.first_us), percent(raised.minor, raised.whole_minor)
    own, whole = amount(raised.minor, raised.currency), amount(raised.whole_minor, raised.currency)
    whose = Bilingual(zh="项目公司", en="the project's company")
    if raised.of_platform:
        whose = Bilingual(zh="平台或项目公司", en="the platform or of the project's company")
    zh = [
        f"自 {first} 起，股权众筹平台 {raised.institution_id} 的项目 {raised.product}"
        f" 应筹或已筹的 {whole} 中，"
        f"{own}（{share}）来自{whose.zh}的关联方，共 {raised.parties} 名，已超过其登记的持股比例。"
    ]
    en = [
        f"Since {first}, of the {whole} for project {raised.product} of equity platform"
        f" {raised.institution_id}, {own} ({share}) came from {raised.parties} related parties of {whose.en},"
        " beyond any declared share."
    ]
    if raised.nominees:
        zh.append(f"其中 {raised.nominees} 名支持者的钱是关联方事先给的（代持）。")
        en.append(f"{raised.nominees} of them are nominees, to whom a related party had given the money.")
    zh.append("股权众筹平台不得自筹，此举违反整治方案二.1.2。")
    en.append("Equity crowdfunding must not raise from its own people (RP 二.1.2).")
    return Bilingual(zh="".join(zh), en=" ".join(en))
