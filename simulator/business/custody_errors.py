"""A clerk at a custody bank pays the wrong account, and has it back the same day."""

from __future__ import annotations

import numpy as np

from schemas.instant import MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.flows import Channel
from simulator.today import Today

_ERRORS_A_DAY = 0.04  # assumption: per platform


class CustodyErrors:
    def __init__(self, cast: Cast) -> None:
        self._wrong = np.array([c.account for c in (*cast.companies, *cast.firms)], dtype=np.int64)

    def act(self, today: Today) -> None:
        if not today.date.working:
            return
        for number, platform in enumerate(today.cast.platforms):
            rng = today.stream("custody errors", number)
            if rng.random() >= _ERRORS_A_DAY:
                continue
            wrong, amount = int(rng.choice(self._wrong)), int(rng.integers(10, 250)) * 100 * p.YUAN
            at = today.date.at(9) + int(rng.integers(0, 4 * 3600)) * SECOND
            back = at + int(rng.integers(20, 220)) * MINUTE
            label = platform.patterns.custody_correction
            if today.pay(
                platform.custody,
                wrong,
                amount,
                at,
                Purpose.transfer,
                channel=Channel.custody,
                pattern=label,
            )[0]:
                today.flows.add(
                    wrong,
                    platform.custody,
                    amount,
                    back,
                    Purpose.refund,
                    channel=Channel.custody,
                    pattern=label,
                )
