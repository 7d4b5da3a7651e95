"""拆分突破人数 in sentences."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.alert import Citation
from schemas.record import Bilingual
from schemas.registry import LegalForm
from services.detector.wording import amount, day

_FORM: Final = {
    LegalForm.contract: Bilingual(zh="契约型", en="by contract"),
    LegalForm.partnership: Bilingual(zh="合伙型", en="a partnership"),
    LegalForm.company: Bilingual(zh="有限公司型", en="a limited company"),
}


class Crowd(NamedTuple):
    """`merged`: other products counted as one with it; `nominees`: holders looked through."""

    product: str
    institution_id: str | None
    form: LegalForm
    most: int
    investors: int
    merged: int
    nominees: int
    first_us: int
    last_us: int
    minor: int
    currency: str
    article: Citation


def explanation(crowd: Crowd) -> Bilingual:
    first, last, total = day(crowd.first_us), day(crowd.last_us), amount(crowd.minor, crowd.currency)
    form, who = _FORM[crowd.form], crowd.institution_id or "?"
    zh = [
        f"{first} 至 {last}，机构 {who} 的私募产品 {crowd.product}（{form.zh}）募集 {total}，"
        f"穿透后的最终投资者共 {crowd.investors} 名，超过当日法定上限 {crowd.most} 名。"
    ]
    en = [
        f"From {first} to {last}, the private product {crowd.product} of institution {who} ({form.en})"
        f" raised {total} from {crowd.investors} final investors, more than the {crowd.most} that the law"
        " of that day allows."
    ]
    if crowd.merged:
        zh.append(f"其中合并了 {crowd.merged} 个嵌套、同源或投向同一借款人的产品。")
        en.append(f"{crowd.merged} products that feed it, are its parts or serve its borrower are merged.")
    if crowd.nominees:
        zh.append(f"有 {crowd.nominees} 名持有人的资金主要来自他人，按实际出资人计算。")
        en.append(f"{crowd.nominees} holders paid mostly with others' money; those others are counted.")
    zh.append(
        "私募产品不得以拆分、嵌套、代持突破人数"
        f"（北京市整治方案二.2.8；{crowd.article.document} {crowd.article.article}）。"
    )
    en.append(
        "The limit must not be passed by splitting, nesting or nominees"
        f" (BJ 二.2.8; {crowd.article.document} {crowd.article.article})."
    )
    return Bilingual(zh="".join(zh), en=" ".join(en))
