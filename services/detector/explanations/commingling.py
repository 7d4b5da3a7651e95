"""资金混同 in sentences."""

from __future__ import annotations

from schemas.record import Bilingual
from schemas.registry import AccountRole
from services.detector.books.incidents import Case
from services.detector.wording import amount, day, masked, role


def explanation(
    institution_id: str, token: str, account_role: AccountRole | None, case: Case, currency: str
) -> Bilingual:
    kind, short, count = role(account_role), masked(token), len(case.incidents)
    first, last, total = day(case.first_us), day(case.last_us), amount(case.minor, currency)
    last_minor = amount(case.incidents[-1].minor, currency)
    says = case.says()
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {institution_id} 的{kind.zh} {short} 与其客户资金账户之间有 {count} 笔"
            f"不应有的划转，共 {total}：{says.zh}。最近一笔涉及 {last_minor}。客户资金须由银行存管、与平台"
            "自有资金分账管理，混同违反整治方案二.1.3 和指导意见十四。"
        ),
        en=(
            f"From {first} to {last}, {count} transfers between the {kind.en} {short} of platform"
            f" {institution_id} and its clients' money should not have been, {total} in all: {says.en}. The"
            f" latest concerns {last_minor}. Client money is in custody and apart from the platform's own:"
            " RP 二.1.3 and GO 十四 forbid mixing them."
        ),
    )
