"""Payments that somebody was given the money for shortly before, directly or over one other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from compiled import Bools
from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.graph import Edges, Wanted
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of
from services.detector.parties.marks import KEEPER
from services.detector.purposes import among, bits_of
from services.detector.typology import Context

_WHOLE: Final = 10_000
_PAY: Final = among({Purpose.salary, Purpose.refund})
"""What a giver owed the other in any case."""
_GIFTS: Final = frozenset({Purpose.transfer, Purpose.unknown})
_GIVES: Final = among(_GIFTS)
_GIVES_BITS: Final = bits_of(_GIFTS)


class Settings(Protocol):
    @property
    def fed_days(self) -> int: ...
    @property
    def fed_least_bp(self) -> int: ...
    @property
    def fed_most_bp(self) -> int: ...
    @property
    def max_fed_edges(self) -> int: ...


def fed_by(
    context: Context, payment: Leg, settings: Settings, is_giver: Callable[[int], bool]
) -> tuple[Leg, ...]:
    """The way on which about the amount of `payment` came to its payer within `fed_days`, the latest one,
    first leg first: from an account that is_giver(), directly or over one account that is none. Empty:
    there is no such way."""
    for last in _about(context, payment, payment, settings, _gives):
        if is_giver(last.src):
            return (last,)
        if context.marks[last.src] & KEEPER:
            continue
        for first in _about(context, last, payment, settings, _is_no_pay):
            if is_giver(first.src):
                return first, last
    return ()


def could_be_fed(context: Context, payment: Leg, settings: Settings) -> bool:
    """Something came to its payer that can be the last of such a way, whoever gave it."""
    wanted = Wanted(*_amounts(payment, settings), payment.currency, _GIVES_BITS, payment.seq)
    since_us = payment.ts_us - settings.fed_days * DAY
    until = payment.ts_us, context.as_of, settings.max_fed_edges
    return context.graph.was_paid(payment.src, wanted, since_us, *until)


def _amounts(payment: Leg, settings: Settings) -> tuple[int, int]:
    """The least and the most that is about the amount of `payment`."""
    least_bp, most_bp = settings.fed_least_bp, settings.fed_most_bp
    return payment.amount_minor * least_bp // _WHOLE, payment.amount_minor * most_bp // _WHOLE


def _about(
    context: Context, leg: Leg, payment: Leg, settings: Settings, counts: Callable[[Edges], Bools]
) -> Iterator[Leg]:
    """What came to the payer of `leg` before it and is about the amount of `payment`, the latest first."""
    since_us = payment.ts_us - settings.fed_days * DAY
    edges = context.graph.edges_in(leg.src, since_us, leg.ts_us, context.as_of, settings.max_fed_edges)
    least, most = _amounts(payment, settings)
    about = (edges.amount_minor >= least) & (edges.amount_minor <= most) & (edges.src != OUTSIDE_INDEX)
    about &= (edges.currency == payment.currency) & (edges.seq != leg.seq) & counts(edges)
    yield from reversed(legs_of(edges, about))


def _gives(edges: Edges) -> Bools:
    gives: Bools = _GIVES[edges.purpose]
    return gives


def _is_no_pay(edges: Edges) -> Bools:
    no_pay: Bools = ~_PAY[edges.purpose]
    return no_pay
