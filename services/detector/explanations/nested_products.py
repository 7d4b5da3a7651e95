"""多层嵌套 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Nesting(NamedTuple):
    """`layers`: the products passed, first to last; `asset`: who was paid last, of `assets`."""

    layers: tuple[str, ...]
    depth: int
    first_us: int
    last_us: int
    minor: int
    currency: str
    asset: str
    assets: int
    lawful_layers: int


def explanation(nesting: Nesting) -> Bilingual:
    first, last = day(nesting.first_us), day(nesting.last_us)
    total, way = amount(nesting.minor, nesting.currency), " → ".join(nesting.layers)
    zh = [
        f"{first} 至 {last}，投资者的资金逐层穿过产品 {way}，再投向最终资产：按先进先出计，"
        f"其中 {total} 至少经过 {nesting.depth} 层产品，进入 {nesting.assets} 个收款账户"
        f"（最近一笔付往 {nesting.asset}）。嵌套没有备案。"
    ]
    en = [
        f"From {first} to {last}, investors' money went through the products {way} one by one and on to"
        f" the final asset: first in, first out, {total} passed {nesting.depth} layers of products and"
        f" reached {nesting.assets} accounts (the last: {nesting.asset}). The nesting is not filed."
    ]
    if nesting.depth > nesting.lawful_layers > 1:
        zh.append(f"当时的规定至多允许 {nesting.lawful_layers} 层。")
        en.append(f"The rules of that day allow at most {nesting.lawful_layers} layers.")
    zh.append("不得以产品嵌套规避监管，须按资金来源、中间环节与最终投向穿透认定（整治方案二.2.3）。")
    en.append("Products must not be nested to escape the rules; look through to the asset (RP 二.2.3).")
    return Bilingual(zh="".join(zh), en=" ".join(en))
