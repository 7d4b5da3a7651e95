"""What is searched on every transfer: the cycle of accounts that it closes, how far it is sought, and what
a search that was cut short puts on an alert."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.alert import Limit
from schemas.instant import DAY
from services.detector.graph import Found, Shapes
from services.detector.graph.shapes import BUDGET_SPENT, HUB_MET

SETTING: Final = Shapes(
    cycle_legs=10,
    cycle_window_us=30 * DAY,
    least_permille=250,
    most_permille=4_000,
    hub_degree=200,
    budget=400,
)
"""Assumption: 30 days, the longest window of a typology. A leg of a ring that carries less than a quarter
or more than four times of what the last one does is taken as other money. More than 200 live transfers one
way are a business's account, and reading it on every transfer would cost more than the rest together; a
ring is read through accounts whose other transfers, a few a day, come in between.

The other shapes are told among strangers' transfers alone, services.detector.flows.shape_triggers: among all
transfers most accounts that work are the hub of some."""


def nothing_found(rows: int) -> Found:
    """Of a batch that was not searched."""
    none = np.zeros(0, np.int32)
    legs, cut = np.zeros(0, np.int64), np.zeros(rows, np.int8)
    return Found(none, none, none, none, none, legs, cut, budget_spent=0, hub_met=0, visited=0)


def limits_of(cut: int) -> tuple[Limit, ...]:
    """What kept the searches of one row, Found.cut, from looking everywhere."""
    bounds = (
        (BUDGET_SPENT, Limit(name="search_budget", bound=SETTING.budget)),
        (HUB_MET, Limit(name="search_hub_degree", bound=SETTING.hub_degree)),
    )
    return tuple(limit for bit, limit in bounds if cut & bit)
