"""What an account's transfers come to, against the same of those that are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.graph import Applied, Edges, Paid, Payees, RollingGraph, Status, Trade, Traded, Wanted
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.crowded import new_crowded
from services.detector.graph.lists import EDGE, read_both
from services.detector.graph.sums import NOBODY
from tests.detector.graph.logs import LATENESS, WINDOW, Event, Mark, batches, cuts, events
from tests.detector.graph.stream import Transfer, batch

NEVER_US = -(2**62)


def payees_of(left: Edges) -> Payees:
    sums: Counter[int] = Counter()
    for payee, minor in zip(left.dst.tolist(), left.amount_minor.tolist(), strict=True):
        sums[payee] += minor
    foremost = min(sums, key=lambda payee: (-sums[payee], payee), default=NOBODY)
    latest_us = max(left.ts_us.tolist(), default=NEVER_US)
    return Payees(len(sums), sums.total(), foremost, sums[foremost], latest_us)


def traded_of(account: int, left: Edges, came: Edges, trade: Trade) -> Traded:
    currencies = {*left.currency.tolist()}
    if len({*left.dst.tolist()}) >= trade.min_payees and len(currencies) > 1:
        return Traded(too_few=False, too_little=False)
    paid = (left.dst != account) & (trade.paid >> left.purpose.astype(np.int64) & 1 != 0)
    if len({*left.dst[paid].tolist()}) < trade.min_payees:
        return Traded(too_few=True, too_little=False)
    taken = (came.src != account) & (trade.taken >> came.purpose.astype(np.int64) & 1 != 0)
    taken &= np.isin(came.currency, [*currencies])
    paid_minor, taken_minor = int(left.amount_minor[paid].sum()), int(came.amount_minor[taken].sum())
    too_little = paid_minor * 10_000 < taken_minor * trade.passed_on_bp
    return Traded(not too_little and len({*came.src[taken].tolist()}) < trade.min_payers, too_little)


def inserted_rows(log: list[Event], ends: set[int]) -> Iterator[tuple[RollingGraph, Applied, int]]:
    """Just after each batch: the graph, which takes everybody for crowded, and each of its rows that was
    inserted."""
    graph = RollingGraph(window_us=WINDOW, lateness_us=LATENESS, max_transfers=1000, max_accounts=100)
    graph._crowded = new_crowded(least=1, copies=2, length=4)
    for step in batches(log, ends):
        if isinstance(step, Mark):
            continue
        applied = graph.apply(batch(step))
        for row in np.flatnonzero(applied.status == Status.inserted).tolist():
            yield graph, applied, row


bits = st.integers(0, 2 ** len(Purpose) - 1)


@settings(max_examples=100)
@given(
    events(),
    cuts(),
    st.integers(0, 40),
    st.integers(1, 4),
    st.builds(Trade, bits, bits, st.integers(0, 2), st.integers(0, 2), st.integers(0, 10_000)),
)
def test_trade_is_of_what_is_listed(
    log: list[Event], ends: set[int], since: int, limit: int, trade: Trade
) -> None:
    for graph, applied, row in inserted_rows(log, ends):
        until_us = int(applied.ts_us[row])
        window = until_us - since, until_us, int(applied.as_of[row]), limit
        for account in {int(applied.src[row]), int(applied.dst[row])}:
            payees, traded = graph.traded(account, trade, *window)
            came, left = graph.edges_in(account, *window), graph.edges_out(account, *window)
            rooms = np.empty(limit, EDGE), np.empty(limit, EDGE)
            both = read_both(*graph.reading(account, *window[:3]), *rooms, np.empty(1, EDGE))
            for listed, room, (count, more) in zip((came, left), rooms, both, strict=True):
                assert room[limit - count :].tolist() == listed.records.tolist()
                assert more == listed.truncated
            assert payees == payees_of(left)
            assert traded == traded_of(account, left, came, trade)


@settings(max_examples=100)
@given(
    events(),
    cuts(),
    st.integers(0, 40),
    st.integers(1, 4),
    st.integers(0, 700),
    st.integers(0, 3),
    st.sampled_from([0, 150, 300]),
)
def test_sums_are_of_what_is_listed(
    log: list[Event], ends: set[int], since: int, limit: int, bound_minor: int, payers: int, least: int
) -> None:
    for graph, applied, row in inserted_rows(log, ends):
        as_of, until_us = int(applied.as_of[row]), int(applied.ts_us[row])
        window = until_us - since, until_us, as_of, limit
        ends_of_row = np.unique(np.array([applied.src[row], applied.dst[row]], np.int32))
        for account in ends_of_row.tolist():
            assert graph.payees(account, *window) == payees_of(graph.edges_out(account, *window))
        bounds = np.full(ends_of_row.size, bound_minor, np.int64)
        crowded = []
        for came in (graph.edges_in(one, *window) for one in ends_of_row.tolist()):
            large = {src for src, minor in zip(came.src, came.amount_minor, strict=True) if minor >= least}
            crowded.append(came.amount_minor.sum() <= bound_minor and len(large - {OUTSIDE_INDEX}) >= payers)
        assert graph.are_crowded(ends_of_row, bounds, payers, least, *window).tolist() == crowded


@settings(max_examples=100)
@given(
    events(),
    cuts(),
    st.integers(0, 40),
    st.integers(1, 6),
    st.tuples(st.integers(0, 600), st.integers(200, 1000), st.integers(0, 1), st.integers(0, 2**19 - 1)),
)
def test_whether_any_wanted_transfer_came(
    log: list[Event], ends: set[int], since: int, limit: int, bounds: tuple[int, int, int, int]
) -> None:
    for graph, applied, row in inserted_rows(log, ends):
        dst, until_us = int(applied.dst[row]), int(applied.ts_us[row])
        wanted = Wanted(*bounds, int(applied.seq[row]))
        window = until_us - since, until_us, int(applied.as_of[row]), limit
        expected = any(
            wanted.least_minor <= minor <= wanted.most_minor
            and currency == wanted.currency
            and wanted.purposes >> purpose & 1
            and payer != OUTSIDE_INDEX
            and seq != wanted.but_seq
            for seq, _, minor, payer, _, _, currency, purpose in graph.edges_in(dst, *window).records.tolist()
        )
        assert graph.was_paid(dst, wanted, *window) == expected
        src = int(applied.src[row])
        assert graph.is_paid(src, *window[:3]) == (len(graph.edges_in(src, *window)) > 0)


@settings(max_examples=100)
@given(events(), cuts(), st.integers(0, 40), st.integers(1, 4), st.integers(0, 600))
def test_who_pays_as_much(log: list[Event], ends: set[int], since: int, limit: int, least_minor: int) -> None:
    for graph, applied, row in inserted_rows(log, ends):
        src, until_us = int(applied.src[row]), int(applied.ts_us[row])
        window = until_us - since, until_us, int(applied.as_of[row]), limit
        left = graph.edges_out(src, *window)
        is_enough = int(left.amount_minor.sum()) >= least_minor
        assert graph.pays(src, least_minor, *window) == (is_enough or left.truncated)


@settings(max_examples=100)
@given(events(), cuts(), st.integers(0, 40), st.integers(1, 4), st.integers(1, 200))
def test_who_had_been_paid_so_much_before(
    log: list[Event], ends: set[int], since: int, limit: int, least_minor: int
) -> None:
    for graph, applied, row in inserted_rows(log, ends):
        as_of, ts_us = int(applied.as_of[row]), int(applied.ts_us[row])
        payments = graph.edges_in(int(applied.dst[row]), ts_us - since, ts_us, as_of, 10).records
        expected = []
        for _, paid_us, _, payer, _, _, currency, _ in payments.tolist():
            before = graph.edges_in(payer, ts_us - since, paid_us, as_of, limit)
            largest = before.amount_minor[before.currency == currency].max(initial=0)
            expected.append(bool(largest >= least_minor))
        bounds = np.full(payments.size, least_minor, np.int64)
        assert graph.paid_before(payments, bounds, ts_us - since, as_of, limit).tolist() == expected


def test_of_many_payments_all_count_up_to_the_limit() -> None:
    """More than there is room for at first."""
    graph = RollingGraph(window_us=WINDOW, lateness_us=LATENESS, max_transfers=1000, max_accounts=300)
    rows = [Transfer(f"t{number}", 1, 2 + number % 150, 0, 100 + number) for number in range(200)]
    rows += [Transfer(f"u{number}", 2 + number % 120, 1, 0, 300 + number) for number in range(160)]
    applied = graph.apply(batch(rows))
    payer, as_of = int(applied.src[0]), int(applied.as_of[-1])
    trades = [
        Trade(1 << Purpose.unknown, 1 << Purpose.unknown, payees, payers, passed_on_bp)
        for payees in (5, 127, 129, 150)
        for payers in (5, 119, 121)
        for passed_on_bp in (0, 2_000, 5_000)
    ]
    for limit in (5, 127, 128, 129, 159, 160, 161, 199, 200, 201):
        came = graph.edges_in(payer, 0, 0, as_of, limit)
        left = graph.edges_out(payer, 0, 0, as_of, limit)
        assert graph.payees(payer, 0, 0, as_of, limit) == payees_of(left)
        for trade in trades:
            traded = graph.traded(payer, trade, 0, 0, as_of, limit)
            assert traded == (payees_of(left), traded_of(payer, left, came, trade))
    assert graph.payees(payer, 0, 0, as_of, 1000).payees == 150


@settings(max_examples=100)
@given(events(), cuts(), st.integers(0, 40), st.integers(1, 4), st.integers(0, 1), st.sets(st.integers(0, 6)))
def test_what_was_paid_is_told_by_marks(
    log: list[Event], ends: set[int], since: int, limit: int, currency: int, marked: set[int]
) -> None:
    marks = np.array([(6 if account in marked else 8) for account in range(101)], np.uint32)
    for graph, applied, row in inserted_rows(log, ends):
        src, until_us = int(applied.src[row]), int(applied.ts_us[row])
        window = until_us - since, until_us, int(applied.as_of[row]), limit
        left = graph.edges_out(src, *window)
        paid = [
            (dst, minor)
            for dst, minor, code in zip(
                left.dst.tolist(), left.amount_minor.tolist(), left.currency.tolist(), strict=True
            )
            if code == currency
        ]
        assert graph.paid(src, currency, marks, 2, *window) == Paid(
            sum(minor for _, minor in paid),
            sum(minor for dst, minor in paid if dst != OUTSIDE_INDEX and dst in marked),
            sum(minor for dst, minor in paid if dst != OUTSIDE_INDEX and dst not in marked),
        )
