"""备付金计息 in sentences."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day, masked

Way = Literal["stated", "unstated", "rebates"]


class Interest(NamedTuple):
    """`credits` credits to the reserve account, `minor` in all; `way`: how they are known as interest."""

    institution_id: str
    token: str
    first_us: int
    last_us: int
    credits: int
    minor: int
    currency: str
    way: Way


_WAYS: Final[dict[Way, Bilingual]] = {
    "stated": Bilingual(zh="利息", en="interest"),
    "unstated": Bilingual(
        zh="疑似利息（用途缺失，按季于结息日入账）",
        en="what looks like interest (no purpose stated, paid each quarter)",
    ),
    "rebates": Bilingual(
        zh="银行以其他名义支付、又被机构原额转入自有账户的款项",
        en="a bank's payments by another name, which the institution then took for its own account",
    ),
}


def explanation(one: Interest) -> Bilingual:
    first, last, total = day(one.first_us), day(one.last_us), amount(one.minor, one.currency)
    who, account = one.institution_id, masked(one.token)
    zh, en = _WAYS[one.way].zh, _WAYS[one.way].en
    return Bilingual(
        zh=(
            f"{first} 至 {last}，支付机构 {who} 的备付金账户 {account} 收到{zh} {one.credits} 笔，"
            f"共 {total}。备付金是客户的钱，人民银行和商业银行不得对其计付利息，"
            "支付机构不得靠利差盈利，见整治方案二.3.1。"
        ),
        en=(
            f"From {first} to {last} the reserve account {account} of payment institution {who} was credited"
            f" with {en}: {one.credits} credits, {total}. Reserves are clients' money; under RP 二.3.1 no"
            " bank pays interest on them, and the institution must not live on the spread."
        ),
    )
