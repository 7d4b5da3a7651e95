"""先聚后散: one account takes from many and pays many others.

at_once    clumsy: each layer pays within a day, and keeps next to nothing
over_days  three days a layer, a cut for each hand
patient    careful: a week a layer and days of rest; the hands also buy like anybody
"""

from __future__ import annotations

from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant
from simulator.misconduct.shapes import AT_ONCE, OVER_DAYS, PATIENT, layered

_LAYERS = (9, 1, 9)


def at_once(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 9, AT_ONCE, main=1)


def over_days(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 9, OVER_DAYS, main=1)


def patient(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 9, PATIENT, main=1)


VARIANTS = (
    Variant(at_once, CLUMSY, also=("fan_in", "fan_out")),
    Variant(over_days, ORDINARY, also=("fan_in", "fan_out")),
    Variant(patient, CAREFUL, days=22, also=("fan_in", "fan_out")),
)
