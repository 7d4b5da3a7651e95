"""Which accounts much money went through, of those that a search outward reached.

What came to an account and went on from it is summed in the labels of the search, leg by leg as they were
found: nothing is copied, and no order of time is needed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Record, kernel, signed
from services.detector.graph.reach import Search
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State

BRANCH: Final = np.dtype([("account", "<i8"), ("hops", "<i8"), ("seq", "<i8")])
"""An account, the fewest legs of a path to it, and the lowest sequence number of the last of such legs."""


@kernel
def find_branches(state: State, search: Search, start: int, least_minor: int, branches: Array) -> int:
    """Of the accounts that legs before the last possible one lead to, those that `least_minor` came to and
    went on from; but `start`, and the hubs. How many these are."""
    met = label_payees(state, search)
    sum_turnover(state, search)
    count = 0
    for place in range(met):
        account = search.queue[place]
        label = search.labels[account]
        is_passed = account != start and label.is_hub != 1
        if is_passed and label.came_minor >= least_minor and label.went_minor >= least_minor:
            branches[count].account = account
            branches[count].hops = label.nearest_hops
            branches[count].seq = label.nearest_seq
            count += 1
    return count


@kernel
def label_payees(state: State, search: Search) -> int:
    """Queue each once; legs were found by the number of legs to them, the fewest first."""
    met = 0
    for place in range(search.progress[0].legs):
        hops, seq = signed(search.hops[place]), signed(search.found[place])
        if hops == search.max_hops:
            break
        payee = state.ring.legs[slot_of(state.ring, seq)].dst
        label = search.labels[payee]
        if not is_summed(search, label):
            label.summed = search.number
            label.came_minor = 0
            label.went_minor = 0
            label.nearest_hops = hops
            label.nearest_seq = seq
            search.queue[met] = payee
            met += 1
        elif label.nearest_hops == hops:
            label.nearest_seq = min(signed(label.nearest_seq), seq)
    return met


@kernel
def sum_turnover(state: State, search: Search) -> None:
    for place in range(search.progress[0].legs):
        leg = state.ring.legs[slot_of(state.ring, search.found[place])]
        payer, payee = search.labels[leg.src], search.labels[leg.dst]
        if is_summed(search, payer):
            payer.went_minor += leg.amount_minor
        if is_summed(search, payee):
            payee.came_minor += leg.amount_minor


@kernel
def is_summed(search: Search, label: Record) -> bool:
    return bool(label.summed == search.number)
