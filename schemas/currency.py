"""Money: int64 minor units and an ISO 4217 currency. No float ever holds an amount."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from schemas.errors import InvalidRecord

MAX_MINOR: Final = 2**63 - 1

# ISO 4217 list one: every active alphabetic code, grouped by its number of decimals.
_TWO_DECIMALS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON "
    "RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD "
    "TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG HRK"
)
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    "CLF": 4,
}
"""Number of minor-unit decimals by currency code."""


@cache  # bounded by the number of currencies
def _pattern(decimals: int) -> re.Pattern[str]:
    return re.compile(rf"(\d{{1,19}})(?:\.(\d{{0,{decimals}}})0*)?", re.ASCII)


def decimals_of(currency: str) -> int:
    """Raises InvalidRecord when `currency` is not an active ISO 4217 code."""
    try:
        return DECIMALS[currency]
    except KeyError:
        raise InvalidRecord("currency", f"{currency!r} is not an ISO 4217 code") from None


def to_minor(amount: str, currency: str) -> int:
    """Minor units of an unsigned decimal `amount` in major units, exactly; never rounds.

    Raises InvalidRecord for signs, exponents, blanks, more decimals than the currency has
    (trailing zeros excepted), and anything past int64.
    """
    decimals = decimals_of(currency)
    match = _pattern(decimals).fullmatch(amount)
    if match is None:
        raise InvalidRecord(
            "amount", f"{amount[:40]!r} is not an unsigned decimal with at most {decimals} decimals"
        )
    whole, fraction = match.groups()
    minor = int(whole + (fraction or "").ljust(decimals, "0"))
    if minor > MAX_MINOR:
        raise InvalidRecord("amount", f"{amount[:40]!r} does not fit int64 minor units")
    return minor


def to_major(minor: int, currency: str) -> str:
    """The exact decimal string of `minor` units: to_major(12345, "CNY") == "123.45"."""
    decimals = decimals_of(currency)
    if decimals == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
