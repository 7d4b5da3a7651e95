"""防火墙失守 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Dealings(NamedTuple):
    """What `payer` paid other members beyond what was filed; `link`: how they are of one group."""

    payer: str
    payees: tuple[str, ...]
    link: Bilingual
    first_us: int
    last_us: int
    payments: int
    over_minor: int
    of_clients_minor: int
    currency: str


def explanation(dealings: Dealings) -> Bilingual:
    first, last = day(dealings.first_us), day(dealings.last_us)
    total = amount(dealings.over_minor, dealings.currency)
    clients = amount(dealings.of_clients_minor, dealings.currency)
    zh = [
        f"{first} 至 {last}，机构 {dealings.payer} 向{dealings.link.zh}的持牌机构"
        f" {'、'.join(dealings.payees)} 付出 {dealings.payments} 笔资金，"
        f"其中 {total} 没有备案的内部服务额度可以解释。"
    ]
    en = [
        f"From {first} to {last}, institution {dealings.payer} made {dealings.payments} payments to"
        f" {', '.join(dealings.payees)}, licensed and {dealings.link.en}, of which {total} is beyond any"
        " filed service."
    ]
    if dealings.of_clients_minor:
        zh.append(f"其中 {clients} 是为客户保管的资金。")
        en.append(f"{clients} of it was money kept for clients.")
    zh.append("集团内各持牌机构之间须设防火墙、遵守关联交易规定，此举违反整治方案二.2.4。")
    en.append("Licensed members of one group must keep firewalls and the rules on dealings (RP 二.2.4).")
    return Bilingual(zh="".join(zh), en=" ".join(en))
