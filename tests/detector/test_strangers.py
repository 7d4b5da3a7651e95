"""What is asked of strangers' legs all at once is what comes of asking one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.instant import DAY
from schemas.law import load_law
from schemas.transaction import Purpose
from services.detector.books.stranger_legs import MAX_LEGS
from services.detector.books.strangers import IN_A_ROLE, Strangers, paid_between
from services.detector.engine import Engine
from services.detector.typologies.bipartite import Bipartite
from services.detector.typology import Candidates, Context, Outcome, Step, Transfer

LAW = load_law()
WINDOW_US = 14 * DAY
SUSPECTS = (2, 3, 7)
"""By index."""
looked_at: list[int] = []


def strangers_at(context: Context, transfer: Transfer) -> Strangers:
    """Afresh, so that nothing is remembered of what was asked before."""
    context.answers.clear()
    return Strangers(context, transfer.currency, WINDOW_US)


def are_strangers(step: Step, row: int) -> bool:
    """Plainly."""
    one = step.applied
    is_private = one.purpose[row] in (Purpose.unknown, Purpose.transfer, Purpose.top_up)
    in_no_role = not (step.src_marks[row] | step.dst_marks[row]) & IN_A_ROLE
    return is_private and in_no_role and bool(step.dealt.since_us[row] >= one.ts_us[row] - WINDOW_US)


class Probe(Bipartite):
    def candidates(self, step: Step) -> Candidates:
        looked_at.append(step.batch.rows)
        rows = paid_between(step, WINDOW_US)
        assert rows.tolist() == [row for row in range(step.batch.rows) if are_strangers(step, row)]
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        check_payees_among(context, transfer)
        check_with_suspects(context, transfer)
        looked_at.append(transfer.row)
        return None


def check_payees_among(context: Context, transfer: Transfer) -> None:
    one_by_one, at_once = strangers_at(context, transfer), strangers_at(context, transfer)
    own = one_by_one.payees(transfer.src) - {transfer.dst}
    payers = one_by_one.payers(transfer.dst)
    one_by_one.is_cut = False
    each = {payer: one_by_one.payees(payer) & own for payer in payers}
    assert at_once.payees_among(payers, own) == each
    assert at_once.is_cut == one_by_one.is_cut


def check_with_suspects(context: Context, transfer: Transfer) -> None:
    context.suspects.name(SUSPECTS, context.now_us)
    for inward, account in ((True, transfer.dst), (False, transfer.src)):
        strangers = strangers_at(context, transfer)
        legs = strangers.into(account) if inward else strangers.out_of(account)
        found = strangers_at(context, transfer)
        assert found.with_suspects(account, inward) == [
            leg for leg in legs if (leg.src if inward else leg.dst) in SUSPECTS
        ]
        assert found.is_cut == strangers.is_cut


def look(world: Any, batches: Any, flows: list[list[Any]], registered: bool) -> int:
    """How many rows were looked at."""
    accounts = (
        [["a1..4", "=", "external"], ["b1..2", "of-both", "external"], ["c2", "=", "client"]]
        if registered
        else []
    )
    told = world(flows=flows, accounts=accounts)
    engine = Engine(LAW, max_transfers=10_000, max_accounts=10_000, typologies=(Probe,))
    engine.apply_registry(told.records())
    looked_at.clear()
    engine.apply_transfers(batches(told.rows(), "0"))
    return len(looked_at) - 1


ends = st.sampled_from(["a1", "a2", "a3", "a4", "b1", "b2", "c1", "c2"])
flows_of = st.lists(
    st.tuples(st.integers(0, 200), ends, ends, st.sampled_from(["transfer", "transfer", "salary"])).map(
        lambda row: [row[0] / 10, *row[1:3], 100, row[3]]
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flows_of, st.booleans())
def test_as_one_by_one(world: Any, batches: Any, flows: Any, registered: bool) -> None:
    look(world, batches, flows, registered)


@pytest.mark.parametrize("registered", [True, False])
def test_beyond_the_bound(world: Any, batches: Any, registered: bool) -> None:
    many = MAX_LEGS + 5
    flows: list[list[Any]] = [[0.1, "a1", "q1", 100, "transfer"]]
    flows += [[1 + number / 1000, "a2", f"q{number}", 100, "transfer"] for number in range(1, many)]
    flows += [[2, "a1", f"q{number}", 100, "transfer"] for number in (2, many - 1)]
    assert look(world, batches, flows, registered) == len(flows)
