"""A sieve against what it says, row by row and in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.sieve import Fact, Sieves, Sights, either, sieve
from services.detector.typologies.firewall_breach import FirewallBreach
from services.detector.typology import NOBODY, Candidates, Step

marks = st.integers(0, 15)
facts = st.integers(0, 2 ** len(Fact) - 1).map(Fact)
rows = st.lists(st.tuples(marks, marks, st.sampled_from(Purpose), facts, st.integers(0, 4)), max_size=40)
wanted = st.fixed_dictionaries(
    {
        "payer": marks,
        "not_payer": marks,
        "payee": marks,
        "not_payee": marks,
        "purposes": st.sets(st.sampled_from(Purpose), min_size=1),
        "facts": facts,
        "not_facts": facts,
    }
)
"""Few bits are shared by all, so that rows pass: zero is likely enough."""


def passes(row: Any, one: Any) -> bool:
    payer, payee, purpose, holds, _ = row
    return (
        (not one["payer"] or bool(payer & one["payer"]))
        and (not one["payee"] or bool(payee & one["payee"]))
        and not payer & one["not_payer"]
        and not payee & one["not_payee"]
        and purpose in one["purposes"]
        and Fact.inserted in holds
        and one["facts"] in holds
        and not one["not_facts"] & holds
    )


@given(rows, st.lists(st.lists(wanted, min_size=1, max_size=3), max_size=4), st.integers(0, 5))
def test_it_lets_pass_what_it_says(rows: Any, wanted: Any, least_minor: int) -> None:
    seen = [[payer, payee, 1 << purpose, holds] for payer, payee, purpose, holds, _ in rows]
    minor = np.array([row[4] for row in rows], np.int64)
    every = [either(*(sieve(**one) for one in meshes)) for meshes in wanted]
    sieves = Sieves()
    for _ in ("alone", "together"):
        sights = Sights(np.array(seen, np.uint32).reshape(-1, 4).T.copy(), minor, sieves)
        for one, meshes in zip(every, wanted, strict=True):
            assert sights.passing(one, least_minor).tolist() == [
                place
                for place, row in enumerate(rows)
                if row[4] >= least_minor and any(passes(row, mesh) for mesh in meshes)
            ]


def test_there_may_be_more_meshes_than_a_word_has_bits() -> None:
    """A sieve's meshes may be of two words, and a row may pass several of them."""
    marks = [[(number + 1) % 32, number, (number + 1) % 32] for number in range(32)]
    wanted = [either(*(sieve(payer=1 << mark) for mark in each)) for each in marks]
    every = 1 << np.arange(32)
    seen = np.array([every, 0 * every, every**0, every**0 * Fact.inserted], np.uint32)
    sieves = Sieves()
    for _ in ("alone", "together"):
        sights = Sights(seen, np.ones(32, np.int64), sieves)
        assert [sights.passing(one).tolist() for one in wanted] == [sorted({*each}) for each in marks]


def test_facts_are_those_of_the_batch(world: Any, play: Any) -> None:
    flows = [
        [2, "a", "b", 5],
        [1, "outside", "b", 5, "unknown", {"sent": 2, "product": "P"}],
        [3, "b", "b", 5, "fee", {"currency": "USD"}],
        [3, "b", "outside", 5, "fee", {"reversal_of": "t0"}],
    ]
    steps: list[Step] = []

    class Looking(FirewallBreach):
        def candidates(self, step: Step) -> Candidates:
            steps.append(step)
            return NOBODY

    play(world(flows=flows), typologies=[Looking])
    (step,) = steps
    applied = step.applied
    expected = {
        Fact.inserted: step.inserted,
        Fact.known_payer: applied.src > 0,
        Fact.known_payee: applied.dst > 0,
        Fact.between_two: applied.src != applied.dst,
        Fact.reversal: step.reverses,
        Fact.out_of_order: applied.ts_us < applied.clock_us,
        Fact.names_product: applied.product > 0,
        Fact.yuan: applied.currency == 0,
    }
    assert all(holds.any() for holds in expected.values())
    assert not all(holds.all() for fact, holds in expected.items() if fact is not Fact.inserted)
    for fact, holds in expected.items():
        assert step.passing(sieve(facts=fact)).tolist() == np.flatnonzero(holds).tolist()
    fees = step.applied.purpose == Purpose.fee
    assert step.passing(sieve(purposes=[Purpose.fee])).tolist() == np.flatnonzero(fees).tolist()
