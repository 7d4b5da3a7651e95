"""Following money over a ledger in memory: what is found, that nothing is lost, and every bound."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution import Method
from services.api import tracing
from services.api.tracing import OUTSIDE_TOKEN, End, EndKind, Payment, backward, forward

FIFO = Method.fifo


class Memory:
    """A ledger of `rows`."""

    def __init__(self, rows: Sequence[Payment]) -> None:
        self.rows = sorted(rows)

    def out_of(self, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]:
        found = ([row for row in self.rows if row.src == account][:each] for account in accounts)
        return [*chain.from_iterable(found)][:limit]

    def into(self, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]:
        found = ([row for row in self.rows if row.dst == account][:each] for account in accounts)
        return [*chain.from_iterable(found)][:limit]


def paid(*lines: str) -> Memory:
    """One payment a line, "A B 100", an hour apart."""
    rows = [line.split() for line in lines]
    return Memory(
        [Payment(n, "f", f"T{n}", src, dst, int(amount), 0) for n, (src, dst, amount) in enumerate(rows)]
    )


def onward(
    memory: Memory, account: str = "A", legs: int = 4, hub: int = 9, method: Method = FIFO
) -> tracing.Traced:
    return forward(memory, memory.out_of([account], 99, 99), legs, hub, method)


def back(
    memory: Memory, account: str = "Z", legs: int = 4, hub: int = 9, method: Method = FIFO
) -> tracing.Traced:
    return backward(memory, memory.into([account], 99, 99), legs, hub, method)


def test_money_is_followed_to_where_it_rests() -> None:
    traced = onward(paid("A B 100", "B C 60", "C D 60", "X D 5"))
    assert traced.asked_minor == 100
    assert traced.ends == (End("D", 60, EndKind.rests), End("B", 40, EndKind.rests))
    assert [(row.tx_id, minor) for row, minor in traced.carried_minor.items()] == [
        ("T0", 100),
        ("T1", 60),
        ("T2", 60),
    ]


def test_money_is_followed_to_who_paid_first() -> None:
    traced = back(paid("A B 70", "X B 30", "B C 100", "C Z 80"))
    assert traced.asked_minor == 80
    assert traced.ends == (End("A", 70, EndKind.rests), End("X", 10, EndKind.rests))
    assert [row.tx_id for row in traced.carried_minor] == ["T0", "T1", "T2", "T3"]


@pytest.mark.parametrize(("method", "onward_minor"), [("fifo", 60), ("pro_rata", 30), ("lowest_balance", 0)])
def test_the_method_says_whose_money_left(method: str, onward_minor: int) -> None:
    lines = ("A B 100", "X B 100", "B Z 60")
    ends = {end.account: end.amount_minor for end in onward(paid(*lines), method=Method(method)).ends}
    assert ends.get("Z", 0) == onward_minor
    sources = {end.account: end.amount_minor for end in back(paid(*lines), method=Method(method)).ends}
    assert sum(sources.values()) == 60
    if method != "lowest_balance":  # both are origins here: the oldest leaves first
        assert sources.get("A", 0) == onward_minor


def test_what_left_before_it_came_was_not_it() -> None:
    assert onward(paid("B C 50", "A B 50")).ends == (End("B", 50, EndKind.rests),)
    assert back(paid("B Z 50", "A B 50")).ends == ()


def test_money_that_lay_there_before_is_of_unknown_origin() -> None:
    assert back(paid("A B 20", "B Z 50")).ends == (End("A", 20, EndKind.rests),)


def test_money_that_comes_home_is_told() -> None:
    assert onward(paid("A B 100", "B A 90")).ends == (
        End("A", 90, EndKind.start),
        End("B", 10, EndKind.rests),
    )
    assert back(paid("Z B 90", "B Z 90")).ends == (End("Z", 90, EndKind.start),)


def test_the_world_outside_is_not_looked_through() -> None:
    out = paid(f"A {OUTSIDE_TOKEN} 10", f"{OUTSIDE_TOKEN} C 10", "C Z 10")
    assert onward(out).ends == (End(OUTSIDE_TOKEN, 10, EndKind.outside),)
    assert back(out).ends == (End(OUTSIDE_TOKEN, 10, EndKind.outside),)


def test_a_hub_is_not_looked_through() -> None:
    memory = paid("A H 10", *[f"H P{n} 1" for n in range(4)], "H Z 3")
    assert onward(memory, hub=4).ends == (End("H", 10, EndKind.hub),)
    assert [(limit.name, limit.bound) for limit in onward(memory, hub=4).limits] == [("hub", 4)]
    assert EndKind.hub not in {end.kind for end in onward(memory, hub=5).ends}
    assert back(memory, hub=4).ends == (End("H", 3, EndKind.hub),)


@pytest.mark.parametrize(("legs", "end"), [(1, "B"), (2, "C"), (3, "D"), (4, "D")])
def test_legs_are_counted(legs: int, end: str) -> None:
    traced = onward(paid("A B 10", "B C 10", "C D 10"), legs=legs)
    kind = EndKind.bound if legs < 4 else EndKind.rests
    assert traced.ends == (End(end, 10, kind),)


@pytest.mark.parametrize(("legs", "source"), [(1, "C"), (2, "B"), (3, "A"), (4, "A")])
def test_legs_are_counted_backward(legs: int, source: str) -> None:
    traced = back(paid("A B 10", "B C 10", "C Z 10"), legs=legs)
    assert [end.account for end in traced.ends] == [source]


def test_what_is_past_a_bound_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = paid("A B 10", "A C 10", "B D 10", "C D 10", "D E 20")
    monkeypatch.setattr(tracing, "MAX_ACCOUNTS", 1)
    assert {limit.name for limit in onward(memory).limits} == {"accounts"}
    monkeypatch.undo()
    monkeypatch.setattr(tracing, "MAX_PAYMENTS", 4)
    traced = onward(memory)
    assert {limit.name for limit in traced.limits} == {"payments"}
    assert {end.kind for end in traced.ends} == {EndKind.bound}
    monkeypatch.undo()
    monkeypatch.setattr(tracing, "MAX_ORIGINS", 1)
    traced = back(paid("A Z 10", "B Z 30"))
    assert traced.ends == (End("B", 30, EndKind.rests),)
    assert [limit.name for limit in traced.limits] == ["origins"]


accounts = st.sampled_from("ABCDEZ")
lines = st.lists(st.tuples(accounts, accounts, st.integers(1, 60)), max_size=25)


@given(lines, st.sampled_from(Method), st.integers(1, 5))
def test_no_money_is_lost_or_made(made: list[tuple[str, str, int]], method: Method, legs: int) -> None:
    memory = paid(*[f"{src} {dst} {minor}" for src, dst, minor in made if src != dst])
    out = onward(memory, legs=legs, hub=99, method=method)
    assert sum(end.amount_minor for end in out.ends) == out.asked_minor
    assert all(
        minor is not None and 0 < minor <= row.amount_minor for row, minor in out.carried_minor.items()
    )
    came = back(memory, legs=legs, hub=99, method=method)
    assert sum(end.amount_minor for end in came.ends) <= came.asked_minor
    assert all(end.amount_minor > 0 for end in (*out.ends, *came.ends))
