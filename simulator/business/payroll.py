"""Employers pay their staff once a month, on a working day."""

from __future__ import annotations

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator.cast import Cast
from simulator.flows import Channel
from simulator.today import Today


class Payroll:
    def __init__(self, cast: Cast) -> None:
        people = cast.people
        self._staff = [np.flatnonzero(people.employer == number) for number in range(len(cast.companies))]

    def act(self, today: Today) -> None:
        rng = today.stream("payroll")
        people = today.cast.people
        for company, staff in zip(today.cast.companies, self._staff, strict=True):
            if not len(staff) or not today.date.pays_on(company.payday):
                continue
            salary = (people.salary[staff] * rng.uniform(0.95, 1.08, len(staff))).astype(np.int64)
            begin = today.date.at(9 + 6 * rng.random())
            today.pay(
                company.account,
                people.card[staff],
                salary,
                begin + np.arange(len(staff), dtype=np.int64) // 20 * SECOND,
                Purpose.salary,
                channel=Channel.payroll,
                pattern=company.pattern,
            )
