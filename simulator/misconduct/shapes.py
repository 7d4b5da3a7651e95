"""Money that goes from layer to layer of accounts, as launderers send it: at once, over days, patiently."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulator import parameters as p
from simulator.misconduct.case import Plan, Play, until, wait
from simulator.misconduct.means import held, live, people, send
from simulator.streams import Ints, shares
from simulator.today import Script


class Manner(NamedTuple):
    """One layer pays over `spread` days; then the money rests `pause` (from, to) days. `kept`: the part
    that stays with each hand. `mixed`: the hands are unknown to the registry and also buy like anybody."""

    spread: int
    pause: tuple[int, int]
    kept: tuple[float, float]
    mixed: bool


AT_ONCE = Manner(1, (1, 1), (0.0, 0.01), mixed=False)
OVER_DAYS = Manner(3, (1, 1), (0.02, 0.06), mixed=False)
PATIENT = Manner(5, (1, 2), (0.05, 0.12), mixed=True)


def layered(plan: Plan, sizes: tuple[int, ...], degree: int, manner: Manner, main: int) -> Play:
    """Layers of so many accounts; each account pays up to `degree` accounts of the next layer, and all of
    the last layer's get something. `main` is the layer whose first account gives the case its name."""
    means = (9_000, 48_000) if sizes[0] > 1 else (300_000, 600_000)
    layers = [people(plan, sizes[0], *means)]
    layers += [people(plan, size, 500, 3_000, known=not manner.mixed) for size in sizes[1:]]
    every = np.concatenate([layers[main], *(layer for n, layer in enumerate(layers) if n != main)])
    label = plan.label(tuple(int(account) for account in every))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for number, (payers, takers) in enumerate(pairwise(layers)):
            for part in np.array_split(rng.permutation(payers), min(manner.spread, len(payers))):
                for payer in part.tolist():
                    kept = int(held(today, payer) * rng.uniform(*manner.kept)) + 100 * p.YUAN
                    chosen = _takers(rng, payers, payer, takers, degree)
                    parts = shares(rng, held(today, payer) - kept, len(chosen), 10 * p.YUAN)
                    send(today, rng, payer, chosen, parts, label)
                if manner.mixed:
                    live(today, rng, takers)
                today = yield
            if number + 2 < len(layers):
                today = yield from wait(today, rng, manner.pause[0] - 1, manner.pause[1] - 1)
        today.finished.add(label)

    return script


def _takers(rng: np.random.Generator, payers: Ints, payer: int, takers: Ints, degree: int) -> Ints:
    """Whom this payer pays: the takers in turn, so that none is left out, and some more."""
    turn = int(np.flatnonzero(payers == payer)[0])
    own = takers[turn :: len(payers)]
    others = rng.permutation(np.setdiff1d(takers, own))
    return np.concatenate([own, others])[: max(len(own), min(degree, len(takers)))]
