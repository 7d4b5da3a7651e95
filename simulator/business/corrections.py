"""Banks undo a few of yesterday's card purchases: chargebacks and booking errors, by reversal."""

from __future__ import annotations

import numpy as np

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
        rows = eligible[rng.random(len(eligible)) < p.CHARGEBACK_RATE]
        today.pay(
            done.dst[rows],
            done.src[rows],
            done.amount[rows],
            today.date.moments(rng, OFFICE, len(rows)),
            Purpose.refund,
            channel=Channel.card,
            reversal=today.yesterday_first + rows,
        )
