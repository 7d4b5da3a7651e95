"""What has moved under filings with a cap, for each beneficiary, period by period."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from schemas.instant import DAY
from schemas.registry import Filing

_MAX_BENEFICIARIES: Final = 500_000
"""Past it the one longest without a payment is forgotten, and has its whole cap again."""


class _Used(NamedTuple):
    period: int
    minor: int


class Allowances:
    """Periods are counted from the day on which the filing takes effect."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, str], _Used] = OrderedDict()

    def excess(self, filing: Filing, beneficiary: str, minor: int, ts_us: int) -> int:
        """Book a payment; how much of it passes the cap."""
        if filing.cap_minor is None:
            return 0
        days = filing.period_days
        period = (ts_us - filing.valid_from) // (days * DAY) if days else 0
        used = self._used.pop((filing.filing_id, beneficiary), _Used(period, 0))
        before = used.minor if used.period == period else 0
        self._used[filing.filing_id, beneficiary] = _Used(period, before + minor)
        if len(self._used) > _MAX_BENEFICIARIES:
            self._used.popitem(last=False)
        return min(minor, max(0, before + minor - filing.cap_minor))
