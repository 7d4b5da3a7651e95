"""场外配资 in sentences."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.record import Bilingual
from services.detector.flows.loans import Arrival
from services.detector.wording import amount, day, masked, percent


class Origin(StrEnum):
    """Whose money it was."""

    loan = "loan"
    clients = "clients"
    own = "own"


class Funding(NamedTuple):
    """`margin`: the token of the margin account that was paid last; `listing`: what was disbursed for,
    else the account that was paid first."""

    institution_id: str
    origin: Origin
    listing: str
    margin: str
    currency: str


_PAID: Final = {
    Origin.loan: Bilingual(
        zh="标的 {0} 自 {1} 起共放款 {2}。",
        en="From {1}, {2} was disbursed for listing {0}.",
    ),
    Origin.clients: Bilingual(
        zh="客户资金自 {1} 起向账户 {0} 付出共 {2}。",
        en="From {1}, client money of {2} was paid to the account {0}.",
    ),
    Origin.own: Bilingual(
        zh="自有资金自 {1} 起向账户 {0} 付出共 {2}。",
        en="From {1}, {2} of its own money was paid to the account {0}.",
    ),
}


def explanation(funding: Funding, arrival: Arrival) -> Bilingual:
    told = (
        funding.listing,
        day(arrival.loan[0].ts_us),
        amount(arrival.disbursed_minor, funding.currency),
    )
    paid, margin = _PAID[funding.origin], masked(funding.margin)
    arrived = amount(arrival.arrived_minor, funding.currency)
    share = percent(arrival.arrived_minor, arrival.disbursed_minor)
    last = day((arrival.last or arrival.loan)[-1].ts_us)
    who = funding.institution_id
    return Bilingual(
        zh=(
            f"平台 {who}：{paid.zh.format(*told)}按先进先出追踪，至 {last} 其中 {arrived}（{share}）进入证券"
            f"保证金账户（最近一笔进入 {margin}）。网贷和众筹平台不得从事证券市场配资，违反整治方案二.1.3。"
        ),
        en=(
            f"Platform {who}: {paid.en.format(*told)} Followed first in, first out, {arrived} of it ({share})"
            f" had by {last} reached securities margin accounts (the latest: {margin}). Platforms must not"
            " fund margin trading: RP 二.1.3."
        ),
    )
