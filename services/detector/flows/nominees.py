"""Whose money it is that a holder pays in: its own, or that of others who paid it shortly before."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from compiled import Bools
from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.flows.carrying import attribute
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.marks import CLIENT, KEEPER
from services.detector.purposes import among
from services.detector.typology import Context, Transfer

AGENT: Final = KEEPER & ~CLIENT
"""Marks of an account that collects for others."""
_IS_FUND: Final = among([Purpose.transfer, Purpose.invest, Purpose.unknown])
_WHOLE: Final = 10_000


class Settings(Protocol):
    """When others' money makes a nominee: parameters of a typology."""

    @property
    def nominee_share_bp(self) -> int: ...
    @property
    def nominee_days(self) -> int: ...
    @property
    def min_behind(self) -> int: ...
    @property
    def max_edges(self) -> int: ...


def behind(context: Context, transfer: Transfer, p: Settings) -> tuple[int, ...]:
    """The accounts whose money the payer paid in, where it is not its own."""
    is_agent = bool(context.marks[transfer.src] & AGENT)
    party = {one.party_id for one in context.registered.accounts(transfer.src, context.now_us)}

    def is_theirs(edges: Edges) -> Bools:
        theirs: Bools = (edges.dst == transfer.src) & (edges.src != transfer.src)
        theirs &= (edges.src != OUTSIDE_INDEX) & _IS_FUND[edges.purpose]
        if is_agent:
            theirs &= edges.product == transfer.product
            return theirs
        theirs &= (context.marks[edges.src] & KEEPER) == 0
        own = [
            one
            for one in np.unique(edges.src[theirs]).tolist()
            if party & {record.party_id for record in context.registered.accounts(one, context.now_us)}
        ]
        theirs &= ~np.isin(edges.src, own)
        return theirs

    since_us = context.now_us - p.nominee_days * DAY
    came = context.graph.edges_in(transfer.src, since_us, transfer.ts_us, context.as_of, p.max_edges)
    payers = tuple(np.unique(came.src[is_theirs(came)]).tolist())
    if is_agent or len(payers) < p.min_behind:
        return payers if is_agent else ()
    money = attribute(context, {transfer.src}, since_us, transfer.currency, is_theirs, p.max_edges)
    carried = int(money.carried_minor[money.edges.seq == transfer.seq].sum())
    return payers if carried * _WHOLE > p.nominee_share_bp * transfer.amount_minor else ()
