"""Banks undo a few of yesterday's card purchases by reversal: chargebacks, and amounts booked with a digit
too many, which are booked again as they should have been."""

from __future__ import annotations

import numpy as np

from schemas.instant import MINUTE
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.dates import OFFICE
from simulator.flows import Channel
from simulator.today import Today


class Corrections:
    def act(self, today: Today) -> None:
        done = today.yesterday
        if done is None or not today.date.working:
            return
        rng = today.stream("corrections")
        eligible = np.flatnonzero(
            (done.purpose == Purpose.purchase) & (done.channel == Channel.card) & (done.reversal == 0)
        )
        drawn = rng.random(len(eligible))
        rows = eligible[drawn < p.CHARGEBACK_RATE + p.MISBOOKED_RATE]
        at = today.date.moments(rng, OFFICE, len(rows))
        undone = today.pay(
            done.dst[rows],
            done.src[rows],
            done.amount[rows],
            at,
            Purpose.refund,
            channel=Channel.card,
            reversal=today.yesterday_first + rows,
            pattern=today.cast.correction,
        )
        again = undone & (drawn[np.searchsorted(eligible, rows)] < p.MISBOOKED_RATE)
        today.pay(
            done.src[rows[again]],
            done.dst[rows[again]],
            done.amount[rows[again]] // 10,
            at[again] + MINUTE,
            Purpose.purchase,
            channel=Channel.card,
            pattern=today.cast.correction,
        )
