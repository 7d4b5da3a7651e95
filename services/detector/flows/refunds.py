"""Money that goes back to somebody who had paid it."""

from __future__ import annotations

from schemas.transaction import Purpose
from services.detector.legs import Leg
from services.detector.typology import Context


def is_refund(context: Context, leg: Leg, since_us: int, max_edges: int) -> bool:
    """It is called a refund, and its payee has paid its payer at least as much since `since_us`."""
    if leg.purpose is not Purpose.refund:
        return False
    paid = context.graph.edges_out(leg.dst, since_us, leg.ts_us, context.as_of, max_edges)
    came = (paid.dst == leg.src) & (paid.currency == leg.currency)
    return int(paid.amount_minor[came].sum()) >= leg.amount_minor
