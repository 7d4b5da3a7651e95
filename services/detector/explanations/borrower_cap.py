"""借款限额 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from schemas.registry import PartyKind
from services.detector.wording import amount, day, masked


class Debt(NamedTuple):
    """`borrower` is "" where nobody knows who holds the account `token`; `kind` None: nor what it is."""

    borrower: str
    token: str
    kind: PartyKind | None
    platform: str
    first_us: int
    last_us: int
    loans: int
    platforms: int
    platform_minor: int
    platform_cap: int
    total_minor: int
    total_cap: int
    currency: str


def explanation(debt: Debt) -> Bilingual:
    who = debt.borrower or masked(debt.token)
    kind_zh, kind_en = ("自然人", "a person") if debt.kind is PartyKind.person else ("单位", "an entity")
    first, last = day(debt.first_us), day(debt.last_us)
    here, total = amount(debt.platform_minor, debt.currency), amount(debt.total_minor, debt.currency)
    cap, total_cap = amount(debt.platform_cap, debt.currency), amount(debt.total_cap, debt.currency)
    over = Bilingual(zh="", en="")
    if debt.platform_minor > debt.platform_cap:
        over = Bilingual(
            zh=f"在平台 {debt.platform} 未还本金 {here}，超过同一平台 {cap} 的限额。",
            en=f"On platform {debt.platform} it owes principal of {here}; the cap for one platform is {cap}.",
        )
    if debt.total_minor > debt.total_cap:
        over = Bilingual(
            zh=f"{over.zh}在 {debt.platforms} 家平台合计未还本金 {total}，超过全部平台 {total_cap} 的限额。",
            en=f"{over.en} Over {debt.platforms} platforms it owes {total}; the cap for all is {total_cap}.",
        )
    return Bilingual(
        zh=(
            f"{first} 至 {last}，借款人 {who}（按{kind_zh}计）经 {debt.loans} 个标的取得放款，已归还的本金"
            f"不重复计算。{over.zh}违反《网络借贷信息中介机构业务活动管理暂行办法》第十七条。"
        ),
        en=(
            f"From {first} to {last}, borrower {who} (taken for {kind_en}) was lent money under"
            f" {debt.loans} listings; principal repaid is not counted. {over.en.strip()} Article 十七 of the"
            " 2016 measures on online lending forbids this."
        ),
    )
