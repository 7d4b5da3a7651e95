"""Laundering shapes in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.legs import Leg
from services.detector.wording import amount, day


class Shown(NamedTuple):
    """`what` the shape is; `why` each reason to suspect it; `registered`: there is a registry."""

    legs: Sequence[Leg]
    minor: int
    currency: str
    what: Bilingual
    why: Sequence[Bilingual]
    registered: bool


def explanation(shown: Shown) -> Bilingual:
    times = [leg.ts_us for leg in shown.legs]
    first, last = day(min(times)), day(max(times))
    total, count = amount(shown.minor, shown.currency), len(shown.legs)
    zh = [f"{first} 至 {last}，{shown.what.zh}，共 {count} 笔转账，金额 {total}。", "可疑之处："]
    zh.append("；".join(why.zh for why in shown.why) + "。")
    zh.append("依据《关于促进互联网金融健康发展的指导意见》十八（反洗钱），应作为可疑交易核查。")
    en = [f"From {first} to {last}, {shown.what.en}: {count} transfers, {total}."]
    en.append("Why it is suspect: " + "; ".join(why.en for why in shown.why) + ".")
    en.append("The Guiding Opinions require such transactions to be monitored and reported (GO 十八).")
    if not shown.registered:
        zh.append("没有登记数据：亲友往来或小商户也可能呈现同样形状。")
        en.append("There is no registry: friends, family or a small shop may have the same shape.")
    return Bilingual(zh="".join(zh), en=" ".join(en))
