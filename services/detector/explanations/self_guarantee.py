"""自保、刚性兑付 in sentences."""

from __future__ import annotations

from schemas.record import Bilingual
from services.detector.incidents import Case
from services.detector.wording import amount, day, masked


def explanation(
    platform: str, listings: int, latest: str, payer: str, case: Case, currency: str
) -> Bilingual:
    """`latest`: the listing paid for last, "" where the feed names none; `payer`: who paid for it."""
    first, last, total = day(case.first_us), day(case.last_us), amount(case.minor, currency)
    minor, count, says = amount(case.incidents[-1].minor, currency), len(case.incidents), case.says()
    of_zh = f"涉及 {listings} 个标的，" if listings else "付款未注明标的，"
    of_en = f" for {listings} listings" if listings else " (the feed names no listing)"
    for_zh, for_en = (f"（标的 {latest}）", f" (listing {latest})") if latest else ("", "")
    return Bilingual(
        zh=(
            f"{first} 至 {last}，平台 {platform} 的借款人未按期还款，{says.zh} {count} 笔，"
            f"{of_zh}共 {total}，用于兑付出借人。最近一笔 {minor} 由账户 {masked(payer)} 付出{for_zh}。"
            "平台不得为自身项目增信、保本，自保违反整治方案二.1.1 和指导意见八。"
        ),
        en=(
            f"From {first} to {last}, borrowers of platform {platform} had not paid, and investors' claims"
            f" were met with {total} in {count} transfers{of_en}: {says.en}. The latest, {minor}, came from"
            f" account {masked(payer)}{for_en}. A platform must not stand behind what it lists: RP 二.1.1 and"
            " GO 八 forbid it to guarantee itself."
        ),
    )
