"""资金池 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from schemas.registry import AccountRole
from services.detector.flows.pots import Held, Paid
from services.detector.wording import amount, day, masked, percent, role


class Pool(NamedTuple):
    """`held`, `paid`: None where that is not the suspicion. `fronts`: accounts through which clients paid."""

    token: str
    fronts: tuple[str, ...]
    account_role: AccountRole | None
    institution_id: str | None
    clients: int
    first_us: int
    last_us: int
    minor: int
    currency: str
    held_hours: int
    held: Held | None
    paid: Paid | None
    registered: bool


def explanation(pool: Pool) -> Bilingual:
    kind, short = role(pool.account_role), masked(pool.token)
    first, last, total = day(pool.first_us), day(pool.last_us), amount(pool.minor, pool.currency)
    whose = f"（机构 {pool.institution_id} 的客户）" if pool.institution_id else "（机构未知）"
    of = f" of institution {pool.institution_id}" if pool.institution_id else " of no known institution"
    zh = [
        f"{first} 至 {last}，{pool.clients} 名不同客户{whose}向{kind.zh} {short} 转入共 {total}。"
        "该账户既不是客户子账户，也不是登记的存管账户。"
    ]
    en = [
        f"From {first} to {last}, {pool.clients} distinct clients{of} paid {total} into the {kind.en}"
        f" {short}, which is neither a client's sub-account nor a registered custody account."
    ]
    for sentence in (_through(pool), _held(pool), _paid(pool)):
        if sentence is not None:
            zh.append(sentence.zh)
            en.append(sentence.en)
    zh.append("客户资金被汇集、混用，构成资金池嫌疑，违反《互联网金融风险专项整治工作实施方案》二.1.1。")
    en.append("Client money gathered and mixed is a pool, which the rectification plan forbids (RP 二.1.1).")
    if not pool.registered:
        zh.append("没有登记数据：收款频繁的普通商户也可能呈现同样形状。")
        en.append("There is no registry: a busy shop may have the same shape.")
    return Bilingual(zh="".join(zh), en=" ".join(en))


def _through(pool: Pool) -> Bilingual | None:
    if not pool.fronts:
        return None
    count, names = len(pool.fronts), [masked(front) for front in pool.fronts]
    return Bilingual(
        zh=(
            f"其中有资金以购物等名义先付给 {count} 个账户（{'、'.join(names)}），"
            "再由其把所收款项的大部分转入该账户。"
        ),
        en=(
            f"Some of it went, as purchases or under other names, through {count} accounts"
            f" ({', '.join(names)}) that pass most of what they take on to it."
        ),
    )


def _held(pool: Pool) -> Bilingual | None:
    if pool.held is None:
        return None
    share = percent(pool.held.held_minor, pool.held.matured_minor)
    return Bilingual(
        zh=f"超过 {pool.held_hours} 小时前转入的资金仍有 {share} 滞留其中。",
        en=f"Of what came in more than {pool.held_hours} hours ago, {share} is still there.",
    )


def _paid(pool: Pool) -> Bilingual | None:
    if pool.paid is None:
        return None
    share = percent(pool.paid.unmatched_minor, pool.paid.minor)
    receivers = pool.paid.receivers
    return Bilingual(
        zh=f"账户又向 {receivers} 个收款方付出资金，其中 {share} 与任何一笔转入都对不上。",
        en=f"It paid on to {receivers} receivers; {share} of that answers to no single payment in.",
    )
