"""Clients' money in a pot, payment by payment, against plainer words of the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attribution import Payments, carry
from schemas.transaction import Purpose
from services.detector.distinct import numbers_for
from services.detector.flows.pots import Follow, count_payees, follow_clients
from services.detector.flows.weighing import (
    NOBODY,
    STRONG,
    WEAK,
    WEIGHED,
    Asked,
    Gathered,
    Rule,
    gather,
    weigh,
)
from services.detector.legs import Leg, merged
from tests.detector.transfers import edges_of

POT, FRONT = 1, 2
EXPENSES = (Purpose.salary, Purpose.tax)

flows = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(1, 100),
        st.integers(0, 6),
        st.sampled_from([Purpose.unknown, Purpose.invest, Purpose.salary]),
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=40,
)


@given(flows, st.lists(st.integers(NOBODY, 3), min_size=40, max_size=40), st.integers(0, 10))
def test_a_pot_is_followed_as_attribution_does(
    rows: list[tuple[int, int, int, Purpose, int, bool]], numbers: list[int], matured_us: int
) -> None:
    legs = [
        Leg(ts_us, seq, *((other, POT) if into else (POT, other)), amount, purpose, 0, currency)
        for seq, (ts_us, amount, other, purpose, currency, into) in enumerate(rows)
    ]
    came = edges_of(leg for leg in legs if leg.dst == POT and leg.src != POT)
    went = edges_of(leg for leg in legs if leg.src == POT and leg.dst != POT)
    client = np.where(came.currency == 0, np.array(numbers[: len(came)], np.int32), np.int32(NOBODY))
    rest, has_matured = came.amount_minor.copy(), np.zeros(4, np.bool_)
    moved_on, is_passed = np.zeros(len(went), np.int64), np.ones(len(went), np.bool_)
    follow = Follow(0, matured_us)
    clients, matured, held = follow_clients(
        came.records, went.records, client, follow, rest, moved_on, is_passed, has_matured
    )

    both = merged(came, went)
    both.records = both.records[both.currency == 0]
    origins = np.isin(both.seq, came.seq[client >= 0])
    payer, payee = np.where(both.src == POT, 0, -1), np.where(both.dst == POT, 0, -1)
    carried = carry(
        Payments(payer.astype(np.int32), payee.astype(np.int32), both.amount_minor, origins), 1, 99
    )
    left = dict(zip(both.seq.tolist(), carried.held.tolist(), strict=True))
    moved = dict(zip(both.seq.tolist(), carried.by_legs.tolist(), strict=True))
    assert moved_on.tolist() == [moved.get(seq, 0) for seq in went.seq.tolist()]
    passed = (moved_on > 0) & (went.dst != 0) & ~np.isin(went.purpose, EXPENSES)
    assert is_passed.tolist() == passed.tolist()
    payees, minor = count_payees(went.records, is_passed, numbers_for(len(went)))
    assert payees == np.unique(went.dst[passed]).size
    assert minor == went.amount_minor[passed].sum()
    mature = (client >= 0) & (came.ts_us < matured_us)
    assert clients == np.unique(client[mature]).size
    assert matured == came.amount_minor[mature].sum()
    assert rest[client >= 0].tolist() == [left[seq] for seq in came.seq[client >= 0].tolist()]
    assert held == sum(left[seq] for seq in came.seq[mature].tolist())


payments = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from([POT, POT, POT, FRONT]),
        st.sampled_from([10, 100, 101, 500, 501]),
        st.sampled_from(Purpose),
        st.integers(0, 1),
        st.integers(NOBODY, 1),
        st.booleans(),
    ),
    max_size=30,
)


@given(payments, st.integers(0, 30), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_payments_are_weighed_as_the_rule_says(
    rows: list[tuple[int, int, int, Purpose, int, int, bool]],
    first: int,
    tied: bool,
    everyday: bool,
    licensed: bool,
    takes_fees: bool,
) -> None:
    edges = edges_of(
        Leg(seq, seq, src, dst, minor, purpose, 0, currency)
        for seq, (src, dst, minor, purpose, currency, _, _) in enumerate(rows)
    )
    found = np.zeros(len(edges), WEIGHED)
    first = min(first, len(edges))
    telling = weigh(
        edges.records,
        first,
        Rule(POT, 0, 100, 501, tied, everyday, licensed, takes_fees),
        np.array([row[5] for row in rows], np.int32),
        np.array([row[6] for row in rows], np.bool_),
        numbers_for(len(edges)),
        found,
    )
    strong, weak, counting = [], [], set()
    for src, dst, minor, purpose, currency, named, is_fee in rows[first:]:
        others = currency == 0 and src not in (0, POT)
        fees = {Purpose.fee, Purpose.unknown} if takes_fees and dst == POT else {Purpose.fee}
        small = purpose in fees and minor <= 100
        says = purpose in STRONG | WEAK and not small
        says = others and (says or minor >= 501 if dst == FRONT else says and not is_fee)
        by_name = not licensed and not (purpose is Purpose.transfer and not tied)
        is_strong = (purpose in STRONG or by_name) if named != NOBODY else purpose in STRONG and not everyday
        strong.append(says and is_strong)
        weak.append(says and not is_strong and not licensed)
        if strong[-1] or (weak[-1] and not everyday):
            counting.add(src)
    assert found["strong"].tolist() == [False] * first + strong
    assert found["weak"].tolist() == [False] * first + weak
    assert telling == len(counting)
    looked_at = rows[first:]
    paying = list(dict.fromkeys(row[0] for row in looked_at if row[4] == 0 and row[0] not in (0, POT)))
    others = [paying.index(row[0]) if row[4] == 0 and row[0] in paying else NOBODY for row in looked_at]
    assert found["payer"][first:].tolist() == others
    assert found["account"][: len(paying)].tolist() == paying


@given(
    payments,
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.builds(Asked, st.integers(0, 30), st.integers(-1, 30), st.integers(1, 4)),
)
def test_what_is_chosen_is_gathered(
    rows: list[tuple[int, int, int, Purpose, int, int, bool]], wanted: list[bool], asked: Asked
) -> None:
    edges = edges_of(
        Leg(seq + 1, seq, src, dst, minor, purpose, 0, currency)
        for seq, (src, dst, minor, purpose, currency, _, _) in enumerate(rows)
    )
    weighed = np.zeros(len(edges), WEIGHED)
    weighed["payer"] = [row[0] for row in rows]
    weighed["strong"] = [row[6] for row in rows]
    number = np.array([3, 3, 1, 0, 0, 2], np.int32)
    client = np.empty(len(edges), np.int32)
    chosen = np.array(wanted[: len(rows)], np.bool_)
    has_paid = np.zeros(4, np.bool_)
    found = Gathered(*gather(edges.records, weighed, chosen, number, asked, client, has_paid))
    taken = {seq: row for seq, row in enumerate(rows) if wanted[seq] and seq >= asked.first}
    times = [seq + 1 for seq in taken]
    firsts = {int(number[row[0]]): seq + 1 for seq, row in reversed(taken.items())}
    enough = sorted(firsts.values())[asked.min_clients - 1 :]
    assert found == Gathered(
        clients=len(firsts),
        payments=len(taken),
        strong=sum(row[6] for row in taken.values()),
        minor=sum(row[2] for row in taken.values()),
        unstated=any(row[3] is Purpose.unknown for row in taken.values()),
        first_us=min(times, default=0),
        last_us=max(times, default=0),
        enough_us=min(enough, default=0),
        later_us=min((one for one in times if one > asked.reported_us), default=0),
    )
    assert client.tolist() == [number[row[0]] if seq in taken else NOBODY for seq, row in enumerate(rows)]
