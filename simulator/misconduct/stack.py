"""分层叠加: several layers of accounts pay each other across, down to a collector.

at_once    clumsy: each layer pays within a day, and keeps next to nothing
over_days  three days a layer, a cut for each hand
patient    careful: a week a layer and days of rest; the hands also buy like anybody
"""

from __future__ import annotations

from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant
from simulator.misconduct.shapes import AT_ONCE, OVER_DAYS, PATIENT, layered

_LAYERS = (5, 6, 6, 1)


def at_once(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 6, AT_ONCE, main=3)


def over_days(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 6, OVER_DAYS, main=3)


def patient(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 6, PATIENT, main=3)


VARIANTS = (
    Variant(at_once, CLUMSY, also=("bipartite", "fan_in", "scatter_gather")),
    Variant(over_days, ORDINARY, days=22, also=("bipartite", "fan_in", "scatter_gather")),
    Variant(patient, CAREFUL, days=34, also=("bipartite", "fan_in", "scatter_gather")),
)
