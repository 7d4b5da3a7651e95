"""平台发放贷款 in sentences."""

from __future__ import annotations

from schemas.record import Bilingual
from services.detector.incidents import Case
from services.detector.wording import amount, day, masked


def explanation(lender: str, payer: str, payee: str, case: Case, currency: str) -> Bilingual:
    first, last, total = day(case.first_us), day(case.last_us), amount(case.minor, currency)
    latest = amount(case.incidents[-1].minor, currency)
    borrowers = len({one.leg.dst for one in case.incidents})
    count, says = len(case.incidents), case.says()
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {lender} 用自有账户向 {borrowers} 名借款人付款 {count} 笔，共 {total}："
            f"{says.zh}。最近一笔 {latest} 由 {masked(payer)} 付往 {masked(payee)}。网贷平台只做信息中介，"
            "自行放贷违反整治方案二.1.1。"
        ),
        en=(
            f"From {first} to {last}, platform {lender} paid {borrowers} borrowers {total} in {count}"
            f" transfers out of its own accounts: {says.en}. The latest, {latest}, went from"
            f" {masked(payer)} to {masked(payee)}. A lending platform is an intermediary; RP 二.1.1 forbids"
            " it to lend."
        ),
    )
