"""平台发放贷款 in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.record import Bilingual
from services.detector.books.incidents import Case
from services.detector.legs import Leg
from services.detector.wording import amount, day, masked


def explanation(
    lender: str, payer: str, payee: str, case: Case, currency: str, funding: Sequence[Leg]
) -> Bilingual:
    """`funding`: what the platform gave the person who lent for it, if one did."""
    first, last, total = day(case.first_us), day(case.last_us), amount(case.minor, currency)
    latest = amount(case.incidents[-1].minor, currency)
    borrowers = len({one.leg.dst for one in case.incidents})
    count, says = len(case.incidents), case.says()
    own_zh, own_en = "自有账户", "its own accounts"
    if funding:
        given, when = amount(sum(leg.amount_minor for leg in funding), currency), day(funding[0].ts_us)
        own_zh = f"内部人员账户（自 {when} 起由平台拨入 {given}）"
        own_en = f"an insider's account, to which it gave {given} since {when}"
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {lender} 用{own_zh}向 {borrowers} 名借款人付款 {count} 笔，共 {total}："
            f"{says.zh}。最近一笔 {latest} 由 {masked(payer)} 付往 {masked(payee)}。网贷平台只做信息中介，"
            "自行放贷违反整治方案二.1.1。"
        ),
        en=(
            f"From {first} to {last}, platform {lender} paid {borrowers} borrowers {total} in {count}"
            f" transfers out of {own_en}: {says.en}. The latest, {latest}, went from"
            f" {masked(payer)} to {masked(payee)}. A lending platform is an intermediary; RP 二.1.1 forbids"
            " it to lend."
        ),
    )
