"""自保、刚性兑付 in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.record import Bilingual
from services.detector.books.incidents import Case
from services.detector.legs import Leg
from services.detector.wording import amount, day, masked


def explanation(
    platform: str,
    listings: int,
    latest: str,
    payer: str,
    case: Case,
    currency: str,
    way: Sequence[Leg] = (),
) -> Bilingual:
    """`latest`: the listing paid for last, "" where the feed names none; `payer`: who paid for it, or gave
    the borrower the money for it on `way`."""
    if way:
        return _fed(platform, latest, payer, case, currency, way)
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


def _fed(platform: str, latest: str, giver: str, case: Case, currency: str, way: Sequence[Leg]) -> Bilingual:
    given, on = amount(way[0].amount_minor, currency), day(way[0].ts_us)
    paid, when = amount(case.incidents[-1].minor, currency), day(case.last_us)
    over = ("直接", "directly") if len(way) == 1 else ("经一名中间人", "over one other")
    return Bilingual(
        zh=(
            f"平台 {platform} 的标的 {latest}：{on}，平台一方的账户 {masked(giver)} {over[0]}向借款人提供"
            f" {given}；借款人于 {when} 还款 {paid}，实为平台一方代为兑付。平台不得为自身项目增信、保本，"
            "自保违反整治方案二.1.1 和指导意见八。"
        ),
        en=(
            f"Listing {latest} of platform {platform}: on {on} account {masked(giver)}, the platform's or a"
            f" related party's, gave {given} {over[1]} to the borrower, who paid {paid} on {when}: in"
            " substance the platform's side paid. A platform must not stand behind what it lists: RP 二.1.1"
            " and GO 八 forbid it to guarantee itself."
        ),
    )
