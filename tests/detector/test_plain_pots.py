"""A pot where no registry says who anybody is, against the same told payment by payment."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import Registry
from schemas.instant import HOUR
from schemas.transaction import Purpose
from services.detector.flows.plain_pots import PlainPot, Rooms
from services.detector.flows.pots import Paid, Pot
from services.detector.graph import RollingGraph
from services.detector.parties.entities import Entities
from services.detector.parties.registered import Registered
from services.detector.typologies.pooling import Parameters
from tests.detector.graph.stream import Transfer, batch

POT = 1
LIMITS = replace(Parameters(), min_clients=3, min_receivers=2, held_hours=5, small_fee_minor=100)

payments = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(1, 9),
        st.integers(1, 400),
        st.sampled_from([Purpose.unknown, Purpose.invest, Purpose.salary, Purpose.fee, Purpose.purchase]),
        st.booleans(),
    ),
    max_size=40,
)
odd = st.sampled_from(["", "", "", "other currency", "product", "to itself"])


def context_of(rows: list[tuple[int, int, int, Purpose, bool]], oddity: str) -> tuple[Any, int]:
    graph = RollingGraph(window_us=100 * HOUR, lateness_us=100 * HOUR, max_transfers=1000, max_accounts=100)
    transfers = [
        Transfer(
            f"t{place}",
            *((other, POT) if into else (POT, POT if oddity == "to itself" and place == 3 else other)),
            hour * HOUR,
            minor,
            currency="USD" if oddity == "other currency" and place % 3 == 0 else "CNY",
            product="p" if oddity == "product" and place % 3 == 0 else "",
            purpose=int(purpose),
        )
        for place, (hour, other, minor, purpose, into) in enumerate(rows)
        if other != POT
    ]
    applied = graph.apply(batch([Transfer("first", 20, POT, 0), *transfers]))
    registry = Registry()
    context = SimpleNamespace(
        graph=graph,
        registry=registry,
        registered=Registered(graph, registry),
        now_us=int(applied.clock_us[-1]),
        as_of=int(applied.as_of[-1]),
        marks=np.zeros(100, np.uint32),
        limits=(),
    )
    return context, int(applied.dst[0])


def untidy(legs: int) -> Rooms:
    """What was there before does not matter."""
    rooms = Rooms()
    for name, array in rooms.of(legs)._asdict().items():
        if name != "numbers":
            array.view(np.uint8)[:] = 1
    return rooms


def told(paid: Paid | None) -> tuple[object, ...] | None:
    return None if paid is None else (paid.receivers, paid.minor, paid.unmatched_minor, paid.carried)


@settings(max_examples=300)
@given(payments, odd, st.integers(0, 20), st.integers(0, 30), st.integers(1, 100))
def test_a_plain_pot_is_a_pot(
    rows: list[tuple[int, int, int, Purpose, bool]], oddity: str, since: int, reported: int, max_legs: int
) -> None:
    context, account = context_of(rows, oddity)
    limits = replace(LIMITS, max_legs=max_legs)
    entities = Entities(context)
    plain = PlainPot(context, entities, account, limits, untidy(max_legs))
    pot = Pot(context, entities, account, limits)
    one = plain.collected(since * HOUR, reported * HOUR)
    other = pot.collected(since * HOUR, reported * HOUR)
    assert (plain.in_use, plain.limits, plain.accounts) == (pot.in_use, pot.limits, pot.accounts)
    if one is None or other is None:
        assert one is other
        return
    assert one._replace(came=other.came, client=other.client) == other
    assert one.edges.records.tolist() == other.edges.records.tolist()
    assert plain.ripe_us(one) == pot.ripe_us(other)
    (held, paid), (held_there, paid_there) = plain.became(one), pot.became(other)
    assert held == held_there
    assert told(paid) == told(paid_there)
