"""汇集: many accounts pay one within days.

at_once    clumsy: each layer pays within a day, and keeps next to nothing
over_days  three days a layer, a cut for each hand
patient    careful: a week a layer and days of rest; the hands also buy like anybody
"""

from __future__ import annotations

from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant
from simulator.misconduct.shapes import AT_ONCE, OVER_DAYS, PATIENT, layered

_LAYERS = (14, 1)


def at_once(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 1, AT_ONCE, main=1)


def over_days(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 1, OVER_DAYS, main=1)


def patient(plan: Plan) -> Play:
    return layered(plan, _LAYERS, 1, PATIENT, main=1)


VARIANTS = (
    Variant(at_once, CLUMSY),
    Variant(over_days, ORDINARY),
    Variant(patient, CAREFUL),
)
