"""Amounts, dates and counts as a supervisor reads them, in Chinese and English."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

from schemas.currency import to_major
from schemas.record import Bilingual
from schemas.registry import AccountRole
from services.detector.beijing import day_of

_FIRST_DAY: Final = date(1970, 1, 1).toordinal()

_ROLE_ZH = {
    AccountRole.client: "客户子账户",
    AccountRole.custody: "存管总账户",
    AccountRole.own: "自有资金账户",
    AccountRole.fee: "手续费账户",
    AccountRole.marketing: "营销账户",
    AccountRole.guarantee: "担保账户",
    AccountRole.reserve: "备付金账户",
    AccountRole.merchant_settlement: "商户结算账户",
    AccountRole.filed_own: "备案自有资金账户",
    AccountRole.special_business: "特定业务专用账户",
    AccountRole.partner_reserve: "合作机构备付金账户",
    AccountRole.securities_margin: "证券保证金账户",
    AccountRole.property_developer: "房地产开发商账户",
    AccountRole.fund_sales: "基金销售结算账户",
    AccountRole.clearing_house: "清算机构账户",
    AccountRole.product_vehicle: "产品载体账户",
    AccountRole.external: "外部账户",
}


def role(account_role: AccountRole | None) -> Bilingual:
    if account_role is None:
        return Bilingual(zh="未登记账户", en="unregistered account")
    return Bilingual(zh=_ROLE_ZH[account_role], en=f"{account_role.value.replace('_', ' ')} account")


def amount(minor: int, currency: str) -> str:
    """ "CNY 1,234.50": the exact amount, the same in both languages."""
    whole, _, fraction = to_major(minor, currency).partition(".")
    return f"{currency} {int(whole):,}" + (f".{fraction}" if fraction else "")


def day(ts_us: int) -> str:
    """Date in Beijing."""
    return _date(day_of(ts_us))


@lru_cache(maxsize=1_000)
def _date(day_number: int) -> str:
    return date.fromordinal(_FIRST_DAY + day_number).isoformat()


def percent(part: int, whole: int) -> str:
    """Share with one decimal, rounded down; whole > 0."""
    tenths = part * 1000 // whole
    return f"{tenths // 10}.{tenths % 10}%"


def masked(token_hex: str) -> str:
    """Enough of a token to tell accounts apart in a sentence."""
    return token_hex[:8]
