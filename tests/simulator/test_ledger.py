import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.transaction import Purpose
from simulator.flows import Flows
from simulator.ledger import Ledger
from simulator.register import OUTSIDE

OPENING = np.array([0, 100, 50, 0], dtype=np.int64)
payments = st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 120)), max_size=40)


@given(payments)
def test_no_claim_takes_more_than_there_is(asked):
    ledger = Ledger(OPENING)
    src = np.array([s for s, _ in asked], dtype=np.int64)
    amount = np.array([a for _, a in asked], dtype=np.int64)
    granted = ledger.claim(src, amount)
    assert (ledger.spendable[1:] >= 0).all()
    assert (amount[granted] > 0).all()
    assert granted[(src == OUTSIDE) & (amount > 0)].all()
    for account in (1, 2, 3):
        mine = granted & (src == account)
        assert OPENING[account] - ledger.spendable[account] == amount[mine].sum()


def test_the_first_payments_are_granted_until_the_money_is_out():
    granted = Ledger(OPENING).claim(np.array([1, 2, 1, 1]), np.array([60, 50, 40, 1]))
    assert granted.tolist() == [True, True, True, False]


def test_money_received_can_be_spent_the_next_day():
    ledger = Ledger(OPENING)
    flows = Flows(0)
    flows.add(1, 3, 100, 10, Purpose.transfer)
    assert not ledger.claim_one(3, 1)
    ledger.settle(flows.seal())
    assert ledger.claim_one(3, 100)
    assert not ledger.claim_one(1, 1)


def test_a_day_that_overdraws_is_a_defect():
    flows = Flows(0)
    flows.add(3, 1, 1, 10, Purpose.transfer)
    with pytest.raises(AssertionError, match="overdrawn"):
        Ledger(OPENING).settle(flows.seal())
