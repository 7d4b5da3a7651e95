"""自融 in sentences."""

from __future__ import annotations

from typing import Final, NamedTuple

from registry import Relatedness
from schemas.record import Bilingual
from schemas.registry import AccountRole
from services.detector.wording import amount, day, masked, percent, role

_WHOLE: Final = 10_000


class Loan(NamedTuple):
    """`last_us`, `last_token`, `last_role`: of the last transfer home; None, "", None where the
    borrower itself is one of the platform's people."""

    institution_id: str
    listing: str
    first_us: int
    disbursed_minor: int
    returned_minor: int
    currency: str
    tie: Relatedness | None
    last_us: int | None
    last_token: str
    last_role: AccountRole | None


def explanation(loan: Loan) -> Bilingual:
    first, total = day(loan.first_us), amount(loan.disbursed_minor, loan.currency)
    who, what = loan.institution_id, loan.listing
    came = _came_home(loan)
    zh = (
        f"平台 {who} 的标的 {what} 自 {first} 起共放款 {total}。",
        came.zh,
        "出借人的钱实际供平台或其关联方使用，构成自融嫌疑，违反整治方案二.1.1。",
    )
    en = (
        f"From {first}, {total} was disbursed for listing {what} of platform {who}.",
        came.en,
        "Investors' money serves the platform's own people: self-lending, which RP 二.1.1 forbids.",
    )
    return Bilingual(zh="".join(zh), en=" ".join(en))


def _came_home(loan: Loan) -> Bilingual:
    relation = _relation(loan.tie)
    if loan.last_us is None:
        return Bilingual(zh=f"借款人本身就是{relation.zh}。", en=f"The borrower itself is {relation.en}.")
    last, share = day(loan.last_us), percent(loan.returned_minor, loan.disbursed_minor)
    kind, home = role(loan.last_role), masked(loan.last_token)
    back = amount(loan.returned_minor, loan.currency)
    return Bilingual(
        zh=(
            f"按先进先出追踪，至 {last} 其中 {back}（{share}）经一手或多手转账回到{relation.zh}"
            f"（最近一笔进入{kind.zh} {home}）。"
        ),
        en=(
            f"Followed first in, first out, {back} of it ({share}) had by {last} come back over one or"
            f" more transfers to {relation.en} (last into the {kind.en} {home})."
        ),
    )


def _relation(tie: Relatedness | None) -> Bilingual:
    if tie is None:
        return Bilingual(zh="平台的关联方", en="a related party of the platform")
    if tie.links == 0:
        return Bilingual(zh="平台自身", en="the platform itself")
    held = percent(tie.share_bp, _WHOLE)
    return Bilingual(
        zh=f"平台的关联方 {tie.party_id}（{tie.links} 层关系，持股连乘 {held}）",
        en=f"{tie.party_id}, a related party of the platform ({tie.links} links, shares multiplied {held})",
    )
