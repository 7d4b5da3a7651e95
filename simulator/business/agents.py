"""Filed agents, in and out on one day: wages for firms that hand in a sum, rents for owners of flats."""

from __future__ import annotations

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator.cast import Cast
from simulator.flows import Channel
from simulator.markets import Agent
from simulator.today import Today


class Agents:
    """An agent with fewer payers than receivers takes one sum from each payer for several receivers."""

    def __init__(self, cast: Cast) -> None:
        self._agents = cast.markets.agents

    def act(self, today: Today) -> None:
        for number, agent in enumerate(self._agents):
            if today.date.pays_on(agent.day):
                self._pass_on(today, today.stream("agent", number), agent)

    def _pass_on(self, today: Today, rng: np.random.Generator, agent: Agent) -> None:
        part = np.arange(len(agent.receivers)) % len(agent.payers)
        sums = np.bincount(part, weights=agent.amounts, minlength=len(agent.payers)).astype(np.int64)
        payroll = len(agent.payers) < len(agent.receivers)
        paid = today.pay(
            agent.payers,
            agent.account,
            sums,
            today.date.at(9) + rng.integers(0, 3 * 3600, len(sums)) * SECOND,
            Purpose.transfer,
            pattern=agent.pattern,
        )
        served = paid[part]
        net = agent.amounts[served] * (10_000 - m.AGENT_FEE_BP) // 10_000
        today.flows.add(
            agent.account,
            agent.receivers[served],
            net,
            today.date.at(14) + np.arange(len(net), dtype=np.int64) * 2 * SECOND,
            Purpose.salary if payroll else Purpose.transfer,
            channel=Channel.payroll if payroll else Channel.transfer,
            pattern=agent.pattern,
        )
