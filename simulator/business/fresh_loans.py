"""Who was lately paid out a loan: an honest borrower takes no part of it to a broker or for a home."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.transaction import Purpose
from simulator.streams import Bools, Ints
from simulator.today import Today

_DAYS: Final = 45  # assumption: by then a loan has gone where it was meant to


class FreshLoans:
    """Loans paid out up to yesterday. note() it once a day."""

    def __init__(self) -> None:
        self._day: dict[int, int] = {}

    def note(self, today: Today) -> None:
        if today.yesterday is not None:
            paid_out = today.yesterday.dst[today.yesterday.purpose == Purpose.disburse]
            self._day |= dict.fromkeys(paid_out.tolist(), today.day)
        self._day = {account: day for account, day in self._day.items() if day > today.day - _DAYS}

    def among(self, accounts: Ints) -> Bools:
        return np.isin(accounts, list(self._day))
