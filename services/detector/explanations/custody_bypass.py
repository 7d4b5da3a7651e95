"""未存管 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.books.incidents import Case
from services.detector.wording import amount, day, masked


class Bypass(NamedTuple):
    """`banks`: of the accounts that were paid, those that are no custody bank."""

    institution_id: str
    clients: int
    payees: int
    last_payee: str
    banks: tuple[str, ...]
    custody_banks: tuple[str, ...]


def explanation(bypass: Bypass, case: Case, currency: str) -> Bilingual:
    first, last, total = day(case.first_us), day(case.last_us), amount(case.minor, currency)
    who, clients, payee = bypass.institution_id, bypass.clients, masked(bypass.last_payee)
    banks = _banks(bypass)
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {who} 的 {clients} 名不同客户绕过存管账户，向平台或其关联方的"
            f" {bypass.payees} 个账户付款共 {total}（最近一笔付往 {payee}）。{banks.zh}"
            "客户资金须由符合条件的银行存管，违反整治方案二.1.3 和指导意见十四。"
        ),
        en=(
            f"From {first} to {last}, {clients} distinct clients of platform {who} paid {total} past custody"
            f" into {bypass.payees} account(s) of the platform or its related parties (the latest to"
            f" {payee}). {banks.en}RP 二.1.3 and GO 十四 require that a qualified bank keeps client money."
        ),
    )


def _banks(bypass: Bypass) -> Bilingual:
    if not bypass.custody_banks:
        return Bilingual(zh="没有登记存管账户。", en="No custody account is registered. ")
    custody = "、".join(bypass.custody_banks), ", ".join(bypass.custody_banks)
    if not bypass.banks:
        return Bilingual(
            zh=f"收款账户开在存管银行 {custody[0]}，但不是存管账户。",
            en=f"The accounts are at the custody bank {custody[1]} but are no custody accounts. ",
        )
    others = "、".join(bypass.banks), ", ".join(bypass.banks)
    return Bilingual(
        zh=f"登记的存管银行是 {custody[0]}，收款账户开在 {others[0]}。",
        en=f"The registered custody bank is {custody[1]}; the accounts paid are at {others[1]}. ",
    )
