"""The loan book: what each transfer is booked as, and that rows of a batch count one by one."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import Registry
from schemas.instant import DAY, HOUR, to_micros
from schemas.transaction import Purpose
from services.detector.books.loan_book import RING_DAYS, LoanBook
from services.detector.books.loan_flows import MAX_MINOR, Flow
from services.detector.flows.replacing import most_principal
from services.detector.graph import RollingGraph
from services.detector.parties.marks import Marks
from services.detector.sieve import Sieves, sighted

REGISTERED: dict[str, Any] = {
    "institutions": [["p2p-1", "p2p", "firm"], ["guarantor-1", "other", "guarantor"]],
    "products": [["x", "p2p-1", "maker"]],
    "relations": [["boss", "firm", "controller"]],
    "accounts": [
        ["i1..3", "=", "client", "p2p-1"],
        ["custody", "firm", "custody", "p2p-1"],
        ["own", "firm", "own", "p2p-1"],
        ["guarantee", "guarantor", "guarantee", "guarantor-1"],
        ["boss", "boss", "external"],
        ["b", "maker", "external"],
    ],
}


class Books:
    """A book fed as the engine feeds it."""

    def __init__(self, world: Any, batches: Any) -> None:
        self.graph = RollingGraph(
            window_us=31 * DAY, lateness_us=DAY, max_transfers=10_000, max_accounts=10_000
        )
        registry = Registry()
        for record in world(**REGISTERED).records():
            registry.apply(record)
        self.marks = Marks(self.graph, registry)
        self.book = LoanBook()
        self._batches = batches

    def open(self, rows: list[dict[str, Any]], name: str) -> None:
        batch = self._batches(rows, name)
        applied = self.graph.apply(batch)
        marks = self.marks.all()
        reversals = np.array([bool(one) for one in batch.columns.column("reversal_of").to_pylist()])
        sights = sighted(applied, marks[applied.src], marks[applied.dst], reversals, Sieves())
        self.book.open(applied, sights)

    def feed(self, rows: list[dict[str, Any]], cuts: list[int]) -> None:
        edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
        for first, last in pairwise(edges):
            self.open(rows[first:last], str(first))
            self.book.close()

    def product(self, name: str = "x") -> int:
        return self.graph.product_code(name) or 0

    def account(self, token: str) -> int:
        return self.graph.index(bytes.fromhex(token)) or 0


@pytest.fixture
def books(world: Any, batches: Any) -> Books:
    return Books(world, batches)


@pytest.mark.parametrize(
    ("payer", "payee", "purpose", "flow"),
    [
        ("i1", "custody", "invest", Flow.invested),
        ("i1", "custody", "unknown", Flow.invested),
        ("card", "own", "invest", Flow.invested),
        ("custody", "i1", "refund", Flow.refunded),
        ("custody", "b", "disburse", Flow.disbursed),
        ("custody", "n", "disburse", Flow.disbursed),
        ("custody", "b", "transfer", Flow.disbursed),
        ("b", "custody", "repay", Flow.repaid),
        ("b", "custody", "unknown", Flow.repaid),
        ("i1", "custody", "repay", Flow.repaid),
        ("b", "custody", "interest", Flow.borrower_interest),
        ("guarantee", "custody", "compensation", Flow.compensated),
        ("own", "custody", "repay", Flow.compensated),
        ("boss", "custody", "unknown", Flow.compensated),
        ("outside", "custody", "transfer", Flow.income),
        ("custody", "i1", "repay", Flow.paid),
        ("custody", "i1", "unknown", Flow.paid),
        ("own", "card", "redemption", Flow.paid),
        ("boss", "i1", "repay", Flow.paid),
        ("custody", "i1", "interest", Flow.interest),
        ("own", "i1", "subsidy", Flow.subsidy),
        ("i1", "card", "withdraw", Flow.none),
        ("i1", "i2", "transfer", Flow.none),
        ("card", "n", "repay", Flow.none),
        ("own", "n", "purchase", Flow.none),
    ],
)
def test_what_a_transfer_is_booked_as(
    books: Books, world: Any, payer: str, payee: str, purpose: str, flow: Flow
) -> None:
    books.open(world(flows=[[1, payer, payee, 10, purpose, {"product": "x"}]]).rows(), "0")
    assert books.book.batch.flow.tolist() == ([] if flow is Flow.none else [flow])


def test_the_house_pays_for_a_listing_only_where_it_names_one(books: Books, world: Any) -> None:
    books.open(
        world(flows=[[1, "own", "i1", 10], [1, "own", "i1", 10, "unknown", {"product": "x"}]]).rows(), "0"
    )
    assert books.book.batch.flow.tolist() == [Flow.paid]


def test_a_reversal_undoes_the_flow(books: Books, world: Any) -> None:
    flows = [
        [1, "custody", "b", 100, "disburse", {"product": "x"}],
        [2, "b", "custody", 40, "repay", {"product": "x"}],
        [3, "custody", "b", 40, "repay", {"product": "x", "reversal_of": "t1"}],
    ]
    books.feed(world(flows=flows).rows(), [])
    assert books.book.total(books.product(), Flow.repaid) == 0
    loan = books.book.loan(books.product())
    assert loan is not None
    assert loan.outstanding_minor == 10_000


def test_other_currencies_and_absurd_amounts_are_not_booked(books: Books, world: Any) -> None:
    rows = world(
        flows=[[1, "i1", "custody", 10, "invest", {"currency": "USD"}], [1, "i1", "custody", 10, "invest"]]
    ).rows()
    rows[1]["amount_minor"] = MAX_MINOR + 1
    books.open(rows, "0")
    assert books.book.batch.rows.size == 0


def test_rows_count_one_by_one(books: Books, world: Any) -> None:
    flows = [[day, "i1", "custody", 10, "invest", {"product": "x"}] for day in range(1, 4)]
    books.open(world(flows=flows).rows(), "0")
    seen = []
    for row in range(3):
        books.book.advance(row)
        seen.append(books.book.total(books.product(), Flow.invested))
    assert seen == [1_000, 2_000, 3_000]
    products = np.full(1, books.product())
    assert books.book.most(products, Flow.invested).tolist() == [3_000]
    assert books.book.least(products, Flow.invested).tolist() == [0]


def test_principal_hours(books: Books, world: Any) -> None:
    flows = [
        [0, "i1", "custody", 100, "invest", {"product": "x"}],
        [10, "custody", "i1", 40, "repay", {"product": "x"}],
    ]
    one = world(flows=flows)
    books.feed(one.rows(), [])
    now_us = to_micros(one.start) + 20 * DAY
    assert books.book.principal_hours(books.product(), now_us) == (10_000 * 10 + 6_000 * 10) * DAY // HOUR


def test_days_are_kept_for_as_long_as_is_promised(books: Books, world: Any, token_of: Any) -> None:
    last = RING_DAYS + 10
    flows = [[day, "i1", "custody", 1, "invest"] for day in range(last + 1)]
    one = world(flows=flows)
    books.feed(one.rows(), [])
    now_us = to_micros(one.start) + last * DAY
    custody = books.account(token_of("custody"))
    assert books.book.over(custody, RING_DAYS - 1, now_us)[Flow.invested] == (RING_DAYS - 1) * 100
    assert books.book.over(custody, 30, now_us)[Flow.invested] == 3_000
    assert books.book.over(custody, 30, now_us + 20 * DAY)[Flow.invested] == 1_000
    assert books.book.over(custody, RING_DAYS, now_us).sum() == 0, "longer than is kept"


accounts = st.sampled_from(["i1", "i2", "custody", "own", "guarantee", "boss", "b", "n", "outside"])
transfers = st.lists(
    st.tuples(
        st.integers(0, 80),
        accounts,
        accounts,
        st.integers(1, 9_000),
        st.sampled_from(Purpose),
        st.sampled_from(["", "x", "y"]),
        st.booleans(),
    ).map(lambda t: [*t[:4], t[4].name, {"product": t[5], **({"reversal_of": "t"} if t[6] else {})}]),
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(transfers, st.lists(st.integers(1, 39), max_size=6))
def test_any_cut_into_batches_gives_the_same_book(
    world: Any, batches: Any, flows: list[Any], cuts: list[int]
) -> None:
    rows = world(flows=sorted(flows, key=lambda flow: flow[0])).rows()
    books = [Books(world, batches) for _ in range(3)]
    for each, at in zip(books, ([], cuts, range(len(rows))), strict=True):
        each.feed(rows, list(at))
    assert len({state(each) for each in books}) == 1


def state(books: Books) -> str:
    """All that a confirmation can ask."""
    book = pickle.loads(pickle.dumps(books.book))
    now_us = books.graph.clock_us or 0
    products = range(1, 4)
    return repr(
        (
            [[book.total(product, flow) for flow in Flow] for product in products],
            [book.principal_hours(product, now_us) for product in products],
            [book.over(one, 30, now_us).tolist() for one in book.platform_accounts],
            [book.loans_of(account) for account in range(1, books.graph.accounts + 1)],
        )
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(transfers)
def test_what_is_paid_ahead_is_told_for_each_row(world: Any, batches: Any, flows: list[Any]) -> None:
    rows = world(flows=sorted(flows, key=lambda flow: flow[0])).rows()
    if not rows:
        return
    books = Books(world, batches)
    books.open(rows, "0")
    book, ahead = books.book, books.book.ahead.tolist()
    for place, row in enumerate(book.batch.rows.tolist()):
        book.advance(row)
        product = int(book.batch.product[place])
        came = book.total(product, Flow.repaid, Flow.borrower_interest, Flow.compensated)
        moves = book.batch.flow[place] in (Flow.paid, Flow.repaid, Flow.borrower_interest, Flow.compensated)
        assert ahead[place] == (book.total(product, Flow.paid) - came if moves else 0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(transfers)
def test_no_row_finds_more_principal_than_is_told_before(world: Any, batches: Any, flows: list[Any]) -> None:
    rows = world(flows=sorted(flows, key=lambda flow: flow[0])).rows()
    half = len(rows) // 2
    books = Books(world, batches)
    for name, part in enumerate((rows[:half], rows[half:])):
        if not part:
            continue
        books.open(part, str(name))
        book, products = books.book, np.unique(books.book.batch.product)
        most = most_principal(book, products)
        for row in book.batch.rows.tolist():
            book.advance(row)
            for product, bound in zip(products.tolist(), most.tolist(), strict=True):
                raised = book.total(product, Flow.invested) - book.total(product, Flow.refunded)
                assert (book.total(product, Flow.disbursed) or raised) <= bound
        book.close()
