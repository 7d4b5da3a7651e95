from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.account import OUTSIDE
from schemas.alert import Limit
from schemas.batch import BatchId, TransferBatch, decode, encode
from schemas.errors import InvalidSetting, Unavailable, Unknown
from services.detector.graph import Applied, RollingGraph, Shapes, Status
from services.detector.graph.accounts import intern_rows
from services.detector.graph.fingerprints import digest_rows
from services.detector.graph.invariants import check
from services.detector.graph.lists import list_around, list_transfers, read_transfers
from services.detector.graph.neighbours import add_marks
from services.detector.graph.ordering import distinct_in_order
from services.detector.graph.reach import reach
from services.detector.graph.searches import apply_and_search_rows, apply_rows
from services.detector.graph.sums import sum_paid
from services.detector.graph.through import list_through
from tests.detector.graph.logs import LATENESS, MARK, WINDOW, Event, Mark, batches, cuts, events
from tests.detector.graph.oracle import Oracle, Reach
from tests.detector.graph.stream import Transfer, batch, large_batch, token

Apply = Callable[[RollingGraph, TransferBatch], Applied]


def searched(graph: RollingGraph, rows: TransferBatch) -> Applied:
    """Applied so that lists of legs are kept."""
    return graph.apply_and_search(rows, Shapes())[0]


@dataclass
class Pair:
    """The engine and its oracle over the same log."""

    graph: RollingGraph
    oracle: Oracle

    @classmethod
    def of(cls, max_transfers: int = 1000, max_accounts: int = 100) -> Pair:
        bounds = {"max_transfers": max_transfers, "max_accounts": max_accounts}
        return cls(
            RollingGraph(window_us=WINDOW, lateness_us=LATENESS, debug=True, **bounds),
            Oracle(WINDOW, LATENESS, **bounds),
        )

    def index(self, account: int) -> int:
        found = self.graph.index(token(account))
        assert found is not None
        return found

    def account(self, index: int) -> int:
        return int.from_bytes(self.graph.token(index)[8:], "big")

    def mark(self, mark: Mark) -> None:
        if len(self.oracle.accounts | {mark.account}) > self.oracle.max_accounts:
            return
        self.graph.mark(self.graph.intern(token(mark.account)), MARK)
        self.oracle.accounts.add(mark.account)
        self.oracle.marked.add(mark.account)


def values(applied: Applied, row: int, names: Sequence[str]) -> dict[str, Any]:
    found = {name: getattr(applied, name)[row].item() for name in names}
    return {**found, "status": Status(found["status"]).name}


def run(
    pair: Pair,
    log: Sequence[Event],
    ends: set[int],
    questions: Questions | None = None,
    apply: Apply = RollingGraph.apply,
) -> None:
    """Both over the log; each row must be as expected, and each question about it answered so."""
    for number, step in enumerate(batches(log, ends)):
        if isinstance(step, Mark):
            pair.mark(step)
            continue
        applied = apply(pair.graph, batch(step, number=number))
        for row, transfer in enumerate(step):
            expected = asdict(pair.oracle.apply(transfer))
            assert values(applied, row, list(expected)) == expected
            if questions and expected["status"] == "inserted":
                questions.ask(pair, transfer, int(applied.as_of[row]))
        assert pair.graph.live == len(pair.oracle.live)
        assert pair.graph.clock_us == pair.oracle.clock_us


@dataclass(frozen=True)
class Questions:
    since: int
    """Before the row's time."""
    hops: int
    hub_degree: int

    def ask(self, pair: Pair, transfer: Transfer, as_of: int) -> None:
        since, until = transfer.ts_us - self.since, transfer.ts_us
        graph, oracle = pair.graph, pair.oracle
        if transfer.dst:
            dst = pair.index(transfer.dst)
            listed = graph.edges_in(dst, since, until, as_of, 1000)
            assert listed.seq.tolist() == oracle.list_in(transfer.dst, since, until)
            answer = graph.backward(dst, until, since, as_of, self.hops, 1000, self.hub_degree)
            expected = oracle.backward(transfer.dst, until, since, self.hops, self.hub_degree)
            assert reached(pair, answer) == expected
        if transfer.src:
            src = pair.index(transfer.src)
            listed = graph.edges_out(src, since, until, as_of, 1000)
            assert listed.seq.tolist() == oracle.list_out(transfer.src, since, until)
            answer = graph.forward(src, since, until, as_of, self.hops, 1000, self.hub_degree)
            expected = oracle.forward(transfer.src, since, until, self.hops, self.hub_degree)
            assert reached(pair, answer) == expected
        ends = np.array(sorted({pair.index(end) for end in (transfer.src, transfer.dst) if end}), np.int32)
        expected_around: set[int] = set()
        for end in {transfer.src, transfer.dst} - {0}:
            expected_around |= {*oracle.list_in(end, since, until), *oracle.list_out(end, since, until)}
        around = graph.edges_around(ends, since, until, as_of, 1000)
        assert set(around.seq.tolist()) == expected_around
        assert np.lexsort((around.seq, around.ts_us)).tolist() == list(range(len(around)))
        out = graph.edges_out_of(ends, since, until, as_of, 1000)
        assert out.seq.tolist() == [
            seq for seq, src in zip(around.seq, around.src, strict=True) if src in ends
        ]


def reached(pair: Pair, answer: Any) -> Reach:
    names = {limit.name for limit in answer.limits}
    order = list(zip(answer.edges.ts_us.tolist(), answer.edges.seq.tolist(), strict=True))
    assert order == sorted(order)
    return Reach(
        dict(zip(answer.edges.seq.tolist(), answer.hops.tolist(), strict=True)),
        frozenset(pair.account(int(hub)) for hub in answer.hubs),
        "hops" in names,
        "hub_degree" in names,
    )


@settings(max_examples=150)
@given(
    events(),
    cuts(),
    st.builds(Questions, st.integers(0, 40), st.integers(1, 4), st.integers(1, 12)),
    st.sampled_from([RollingGraph.apply, searched]),
)
def test_rows_and_questions_are_as_the_oracle_says(
    log: list[Event], ends: set[int], questions: Questions, apply: Apply
) -> None:
    """Whether paths are followed along the ring or in the lists."""
    run(Pair.of(), log, ends, questions, apply)


@settings(max_examples=80)
@given(events(), cuts(), st.integers(1, 12), st.integers(1, 6))
def test_at_the_stated_maximum(
    log: list[Event], ends: set[int], max_transfers: int, max_accounts: int
) -> None:
    pair = Pair.of(max_transfers, max_accounts)
    run(pair, log, ends)
    counters = pair.graph.counters
    assert counters.inserted - counters.expired - counters.shortened == pair.graph.live
    limits = (Limit(name="window", bound=max_transfers),) if counters.shortened else ()
    assert pair.graph.limits(counters.inserted - 1) == limits
    assert pair.graph.limits(min(max_transfers, counters.inserted) - 1) == ()


@settings(max_examples=60)
@given(events(), cuts(), st.integers(1, 4), st.integers(1, 6))
def test_a_truncated_search_is_the_same_in_any_split(
    log: list[Event], ends: set[int], hops: int, max_edges: int
) -> None:
    """And whether paths are followed along the ring or in the lists."""
    answers: list[list[Any]] = []
    every = set(range(100))
    for apply, places in product((RollingGraph.apply, searched), (every, ends)):
        pair = Pair.of()
        found: list[Any] = []
        for step in batches(log, places):
            if isinstance(step, Mark):
                continue
            applied = apply(pair.graph, batch(step))
            for row in np.flatnonzero(applied.status == Status.inserted):
                as_of, dst = int(applied.as_of[row]), int(applied.dst[row])
                answer = pair.graph.backward(dst, 10**6, 0, as_of, hops, max_edges, 3)
                everything = pair.graph.backward(dst, 10**6, 0, as_of, hops, 1000, 3)
                assert ("edges" in {limit.name for limit in answer.limits}) == (
                    len(everything.edges) > max_edges
                )
                assert len(answer.edges) == min(max_edges, len(everything.edges))
                assert set(answer.edges.seq) <= set(everything.edges.seq)
                listed = pair.graph.edges_in(dst, 0, 10**6, as_of, max_edges)
                found.append((answer.edges.seq.tolist(), listed.seq.tolist(), listed.truncated))
        answers.append(found)
    assert all(answer == answers[0] for answer in answers)


def test_segments_and_shards_are_used_again() -> None:
    """120,000 rows through a window of 20,000, in batches of two sizes: the same rows, row by row."""
    results: list[list[Applied]] = []
    for size in (1000, 7919):
        graph = RollingGraph(
            window_us=20_000_000, lateness_us=20_000, max_transfers=30_000, max_accounts=5000
        )
        rng = np.random.default_rng(3)
        whole = large_batch(0, 65_536, 5000, rng), large_batch(65_536, 54_464, 5000, rng)
        results.append(
            [
                graph.apply(type(part)(part.id, part.columns.slice(start, size)))
                for part in whole
                for start in range(0, part.rows, size)
            ]
        )
        check(graph._state)
        assert 20_000 <= graph.live <= 20_100
        newest = results[-1][-1]
        assert graph.transfer_id(int(newest.as_of[-1])) == ("bank", "t119999")
        assert pickle.loads(pickle.dumps(graph)).live == graph.live
    for name in ("seq", "as_of", "src", "dst", "status", "payers", "payees", "in_minor", "clock_us"):
        first, second = (np.concatenate([getattr(part, name) for part in parts]) for parts in results)
        assert np.array_equal(first, second), name


@pytest.mark.parametrize(
    ("behind", "status"),
    [
        (WINDOW + LATENESS - 1, "inserted"),
        (WINDOW + LATENESS, "inserted"),
        (WINDOW + LATENESS + 1, "too_late"),
    ],
)
def test_boundary_of_too_late(behind: int, status: str) -> None:
    graph = Pair.of().graph
    applied = graph.apply(batch([Transfer("a", 1, 2, 1000), Transfer("b", 1, 2, 1000 - behind)]))
    assert Status(applied.status[1]).name == status


@pytest.mark.parametrize(("behind", "late"), [(LATENESS, False), (LATENESS + 1, True)])
def test_boundary_of_late(behind: int, late: bool) -> None:
    applied = Pair.of().graph.apply(batch([Transfer("a", 1, 2, 1000), Transfer("b", 1, 2, 1000 - behind)]))
    assert bool(applied.late[1]) is late


def test_a_duplicate_is_of_the_same_feed() -> None:
    graph = Pair.of().graph
    graph.apply(batch([Transfer("a", 1, 2, 1000)], feed="one"))
    assert graph.apply(batch([Transfer("a", 1, 2, 1000)], feed="two")).status[0] == Status.inserted
    assert graph.apply(batch([Transfer("a", 1, 2, 1000)], feed="one")).status[0] == Status.duplicate
    assert graph.transfer_id(1) == ("two", "a")


def test_networkx_carries_what_the_bank_sent() -> None:
    pair = Pair.of()
    applied = pair.graph.apply(batch([Transfer("a", 1, 2, 1000, 617, "USD", "P9", 3)]))
    edges = pair.graph.edges(applied.seq)
    graph = pair.graph.to_networkx(edges)
    assert list(graph.edges(keys=True, data=True)) == [
        (
            token(1).hex(),
            token(2).hex(),
            0,
            {
                "ts_us": 1000,
                "amount_minor": 617,
                "purpose": "disburse",
                "product": "P9",
                "currency": "USD",
                "tx_id": "a",
                "feed_id": "bank",
            },
        )
    ]


def test_names() -> None:
    graph = Pair.of().graph
    graph.apply(batch([Transfer("a", 1, 2, 1000, product="P9")]))
    assert graph.index(OUTSIDE) == 0
    assert graph.index(token(7)) is None
    assert graph.token(graph.intern(token(7))) == token(7)
    assert graph.accounts == 3
    assert graph.product_code("P9") == 1
    assert graph.product(1) == "P9"
    assert graph.product_code("P8") is None


def test_what_it_does_not_know() -> None:
    graph = RollingGraph(window_us=1, lateness_us=0, max_transfers=10, max_accounts=2)
    applied = graph.apply(batch([Transfer("a", 1, 2, 1000)]))
    graph.apply(batch([Transfer("b", 1, 2, 2000)]))
    graph.apply(batch([Transfer("c", 1, 2, 2000)]))
    with pytest.raises(Unknown, match="index 3"):
        graph.mark(3, MARK)
    with pytest.raises(Unknown, match="not in the window"):
        graph.edges(applied.seq)
    with pytest.raises(Unknown, match="not in the window"):
        graph.transfer_id(0)
    with pytest.raises(Unknown, match="not a row of the batch applied last"):
        graph.edges_in(2, 0, 3000, 0, 10)
    with pytest.raises(Unavailable, match="maximum of 2 accounts"):
        graph.intern(token(3))
    with pytest.raises(InvalidSetting, match="16 bytes"):
        graph.intern(b"short")
    assert graph.fill == 1.0


@pytest.mark.parametrize("setting", ["window_us", "lateness_us", "max_transfers", "max_accounts"])
def test_settings_out_of_range(setting: str) -> None:
    settings: dict[str, Any] = {"window_us": 1, "lateness_us": 0, "max_transfers": 1, "max_accounts": 1}
    with pytest.raises(InvalidSetting, match=setting):
        RollingGraph(**{**settings, setting: -1})


def test_warm_compiles_what_batches_need_wherever_they_lie() -> None:
    entries = (
        apply_rows,
        apply_and_search_rows,
        intern_rows,
        digest_rows,
        add_marks,
        reach,
        list_transfers,
        list_around,
        distinct_in_order,
        read_transfers,
        list_through,
        sum_paid,
    )
    RollingGraph.warm()
    compiled = [list(entry.signatures) for entry in entries]
    pair = Pair.of()
    built = batch([Transfer("a", 1, 2, 1000, product="P1"), Transfer("b", 2, 3, 1001)])
    for number, rows in enumerate((built, decode(encode(built)))):
        applied = pair.graph.apply(type(rows)(BatchId(f"feed{number}", "1", 0), rows.columns))
        again = type(rows)(BatchId(f"again{number}", "1", 0), rows.columns)
        applied, _ = pair.graph.apply_and_search(again, Shapes(cycle_legs=6))
        pair.graph.mark(pair.index(1), MARK)
        pair.graph.backward(pair.index(3), 2000, 0, int(applied.as_of[-1]), 3, 10, 10)
        pair.graph.edges_out(pair.index(2), 0, 2000, int(applied.as_of[-1]), 10)
        pair.graph.paid(pair.index(2), 0, np.zeros(9, np.uint32), 1, 0, 2000, int(applied.as_of[-1]), 10)
        through = np.array([pair.index(2)], np.int32), applied.seq[:1], 0, 0, 2000, int(applied.as_of[-1])
        pair.graph.through(*through, 10)
    assert [list(entry.signatures) for entry in entries] == compiled


def test_transfers_around_accounts_are_bounded_each_way() -> None:
    """Of 1, which pays 2 three times, and of 2, which pays 3 twice: the last two of each, once."""
    pair = Pair.of()
    built = batch([Transfer(f"t{n}", 1 + n % 2, 2 + n % 2, 1000 + n) for n in range(5)])
    as_of = int(pair.graph.apply(built).as_of[-1])
    accounts = np.array([pair.index(1), pair.index(2)], np.int32)
    around = pair.graph.edges_around(accounts, 0, 2000, as_of, 2)
    assert (around.seq.tolist(), around.truncated) == ([1, 2, 3, 4], True)
    around = pair.graph.edges_around(accounts, 0, 2000, as_of, 3)
    assert (around.seq.tolist(), around.truncated) == ([0, 1, 2, 3, 4], False)
    pair.graph._edges = pair.graph._edges[:1]
    assert pair.graph.edges_around(accounts, 0, 2000, as_of, 3).seq.tolist() == [0, 1, 2, 3, 4]


def test_a_hub_is_one_as_of_the_row_and_since_the_time_asked_about_whatever_was_asked_before() -> None:
    """2 pays 3 three times: more than two, for those who see all three."""
    pair = Pair.of()
    log = [(1, 2, 1000), (2, 3, 1001), (1, 2, 1002), (2, 3, 1002), (2, 3, 1003)]
    built = batch([Transfer(f"t{n}", *each) for n, each in enumerate(log)])
    rows = pair.graph.apply(built).as_of.tolist()
    for row, since in [(4, 1000), (3, 1000), (4, 1002), (4, 1000)] * 2:
        forward = pair.graph.forward(pair.index(1), since, 2000, rows[row], 3, 10, 2)
        is_hub = (row, since) == (4, 1000)
        assert [pair.account(int(hub)) for hub in forward.hubs] == ([2] if is_hub else [])
        backward = pair.graph.backward(pair.index(3), 2000, since, rows[row], 3, 10, 2)
        assert backward.hubs.size == 0
