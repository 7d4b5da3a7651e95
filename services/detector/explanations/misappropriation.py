"""挪用客户资金 in sentences."""

from __future__ import annotations

from schemas.record import Bilingual
from services.detector.books.incidents import Case
from services.detector.wording import amount, day, masked


def explanation(institution_id: str, last_payee: str, case: Case, currency: str) -> Bilingual:
    """`last_payee`: the token of who got the latest transfer."""
    first, last, total = day(case.first_us), day(case.last_us), amount(case.minor, currency)
    count, payee, says = len(case.incidents), masked(last_payee), case.says()
    latest = amount(case.incidents[-1].minor, currency)
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {institution_id} 的客户资金有 {count} 笔付给了既非出借人、也非借款人或"
            f"备案收款人的对象，且当日没有退回，共 {total}：{says.zh}。最近一笔 {latest} 付往 {payee}。"
            "客户资金不得挪用，违反整治方案二.1.3。"
        ),
        en=(
            f"From {first} to {last}, client money of platform {institution_id} went in {count} transfers to"
            f" somebody who is no investor, borrower or filed receiver and was not returned the same day,"
            f" {total} in all: {says.en}. The latest, {latest}, went to {payee}. RP 二.1.3 forbids using"
            " client money for others."
        ),
    )
