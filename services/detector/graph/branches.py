"""Which accounts much money went through, of those that a search outward reached.

What came to an account and went on from it is summed leg by leg as they were found: nothing is copied, and no
order of time is needed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Int32s, Record, kernel, signed
from services.detector.graph.ordering import before
from services.detector.graph.reach import Search, reach
from services.detector.graph.ring import slot_of
from services.detector.graph.state import Walkable

BRANCH: Final = np.dtype(
    [
        ("account", "<i8"),
        ("hops", "<i8"),  # the fewest legs of a path to it
        ("seq", "<i8"),  # the lowest sequence number of the last of such legs
        ("came_minor", "<i8"),
        ("went_minor", "<i8"),
    ]
)
"""An account, and what came to it and went on. Its label has the place of its branch, which is told from what
an earlier search left there by the account (Briggs, Torczon, "An efficient representation for sparse sets",
1993)."""


@kernel
def reach_branches(
    state: Walkable, search: Search, start: int, least_minor: int, branches: Array
) -> tuple[tuple[bool, bool, bool], int]:
    """What reach() answers, and how many find_branches() does."""
    cut = reach(state, search, start)
    return cut, find_branches(state, search, start, least_minor, branches)


@kernel
def find_branches(state: Walkable, search: Search, start: int, least_minor: int, branches: Array) -> int:
    """Of the accounts that legs before the last possible one lead to, those that `least_minor` came to and
    went on from; but `start`, and the hubs. How many these are; in `layer` they are then, the nearest first.
    `branches`: as long as `found`."""
    met, count = sum_turnover(state, search, branches), 0
    for place in range(met):
        branch = branches[place]
        is_passed = branch.account != start and search.labels[branch.account].is_hub != 1
        if is_passed and branch.came_minor >= least_minor and branch.went_minor >= least_minor:
            insert(search.layer, count, branches, place)
            count += 1
    for place in range(count):
        search.layer[place] = branches[search.layer[place]].account
    return count


@kernel
def insert(nearest: Int32s, count: int, branches: Array, place: int) -> None:
    """Among the places of as many branches, by (hops, seq)."""
    at, branch = count, branches[place]
    while at > 0 and before(
        branch.hops, branch.seq, branches[nearest[at - 1]].hops, branches[nearest[at - 1]].seq
    ):
        nearest[at] = nearest[at - 1]
        at -= 1
    nearest[at] = place


@kernel
def sum_turnover(state: Walkable, search: Search, branches: Array) -> int:
    """How many branches there are. Legs were found by the number of legs to them, the fewest first, so that
    those to an account, but `start`, are read before those that go on from it."""
    met = 0
    for place in range(search.progress[0].legs):
        hops, seq = signed(search.hops[place]), signed(search.found[place])
        leg = state.ring.legs[slot_of(state.ring, seq)]
        payer = branch_of(search, branches, met, signed(leg.src))
        payee = branch_of(search, branches, met, signed(leg.dst))
        if payer >= 0:
            branches[payer].went_minor += leg.amount_minor
        if payee < 0 and hops < search.max_hops:
            payee = met
            begin_branch(search, branches[met], met, signed(leg.dst), hops, seq)
            met += 1
        if payee >= 0:
            branch = branches[payee]
            branch.came_minor += leg.amount_minor
            if branch.hops == hops:
                branch.seq = min(signed(branch.seq), seq)
    return met


@kernel
def begin_branch(search: Search, branch: Record, place: int, account: int, hops: int, seq: int) -> None:
    search.labels[account].branch = place
    branch.account = account
    branch.hops = hops
    branch.seq = seq
    branch.came_minor = 0
    branch.went_minor = 0


@kernel
def branch_of(search: Search, branches: Array, met: int, account: int) -> int:
    """The place of the account's branch among the first `met`, or -1."""
    place = signed(search.labels[account].branch)
    return place if place < met and branches[place].account == account else -1
