"""备付金缺口 in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.alert import EvidenceEdge
from schemas.record import Bilingual
from services.detector.books.reserve_books import Drift, Mismatch, Shortage
from services.detector.wording import amount, day, masked


class Shortfall(NamedTuple):
    """`mismatches`: those of the window, latest last. `first_us`: of the transfers shown, of which there
    are `flows`, else of the check."""

    institution_id: str | None
    currency: str
    mismatches: Sequence[Mismatch]
    first_us: int
    flows: int


def explanation(found: Shortfall) -> Bilingual:
    latest = {type(one): one for one in found.mismatches}
    told = [_told(one, found) for one in latest.values()]
    zh, en = [one.zh for one in told], [one.en for one in told]
    if len(found.mismatches) > 1:
        since = day(found.mismatches[0].as_of_us)
        zh.append(f"自 {since} 起，这已是第 {len(found.mismatches)} 次对不上。")
        en.append(f"Since {since} this is mismatch number {len(found.mismatches)}.")
    if found.flows:
        zh.append(
            f"证据列出 {day(found.first_us)} 起从备付金账户付给既非客户也非商户的最大 {found.flows} 笔。"
        )
        en.append(
            f"The evidence shows the {found.flows} largest transfers out of the reserve since"
            f" {day(found.first_us)} to somebody who is neither client nor merchant."
        )
    else:
        zh.append(f"核对时间为 {day(found.first_us)}；流水中没有可指认的去向，缺口只由余额证明。")
        en.append(
            f"Checked on {day(found.first_us)}; no transfer on the feeds accounts for it:"
            " balances alone prove it."
        )
    zh.append("客户备付金必须足额存放，不得挪用占用，违反整治方案二.3.1。")
    en.append("Clients' reserves must be there in full; RP 二.3.1 forbids to use or occupy them.")
    return Bilingual(zh="".join(zh), en=" ".join(en))


def explained(
    short: Shortage, institution_id: str | None, token: str, edges: Sequence[EvidenceEdge], currency: str
) -> Bilingual:
    """Who holds money that a shortage has grown by."""
    hole = _shortage(short, Shortfall(institution_id, currency, (short,), short.as_of_us, 0))
    first, last = day(min(one.ts for one in edges)), day(max(one.ts for one in edges))
    total, who = amount(sum(one.attributed_minor for one in edges), currency), masked(token)
    return Bilingual(
        zh=(
            f"{hole.zh}{first} 至 {last}，账户 {who} 以 {len(edges)} 笔、共 {total} 得到了本应在"
            "备付金中的钱：由备付金账户付给既非客户也非商户的一方，或客户充值没有进入备付金。"
            "客户备付金必须足额存放，不得挪用占用，违反整治方案二.3.1。"
        ),
        en=(
            f"{hole.en} From {first} to {last} account {who} got {total} in {len(edges)} transfers that"
            " should be in the reserve: paid out of it to neither client nor merchant, or topped up past"
            " it. Clients' reserves must be there in full; RP 二.3.1 forbids to use or occupy them."
        ),
    )


def _told(mismatch: Mismatch, found: Shortfall) -> Bilingual:
    if isinstance(mismatch, Shortage):
        return _shortage(mismatch, found)
    return _drift(mismatch, found)


def _shortage(one: Shortage, found: Shortfall) -> Bilingual:
    booked, claims = amount(one.booked_minor, found.currency), amount(one.claims_minor, found.currency)
    missing, coming = amount(one.minor, found.currency), amount(one.on_the_way_minor, found.currency)
    return Bilingual(
        zh=(
            f"{day(one.as_of_us)} 日终，支付机构 {found.institution_id or '（未登记）'} 的备付金账户"
            f"银行余额共 {booked}，"
            f"而其自报欠客户 {claims}，缺口 {missing}；结算时限内随后到账的在途资金只有 {coming}。"
        ),
        en=(
            f"At the close of {day(one.as_of_us)} the bank had {booked} in the reserve accounts of payment"
            f" institution {found.institution_id or '(not registered)'}, which says that it owes its clients"
            f" {claims}: {missing} is missing, and only {coming} arrived within the settlement cut-off."
        ),
    )


def _drift(one: Drift, found: Shortfall) -> Bilingual:
    before, net = amount(one.before_minor, found.currency), amount(one.net_minor, found.currency)
    expected, stated = amount(one.expected_minor, found.currency), amount(one.stated_minor, found.currency)
    gap, short = amount(one.minor, found.currency), one.stated_minor < one.expected_minor
    return Bilingual(
        zh=(
            f"备付金账户 {masked(one.account)} 在 {day(one.before_us)} 的对账单余额为 {before}，"
            f"其后流水净额 {net}，应为 {expected}；{day(one.as_of_us)} 的对账单却是 {stated}，"
            f"{'少' if short else '多'} {gap}，流水无法解释。"
        ),
        en=(
            f"The reserve account {masked(one.account)} had {before} by its statement of"
            f" {day(one.before_us)}; with net flows of {net} since, {expected} should be there."
            f" The statement of {day(one.as_of_us)} says {stated}: {gap} {'less' if short else 'more'}"
            " than the transfers on the feeds explain."
        ),
    )
