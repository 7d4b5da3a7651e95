import numpy as np

from schemas.transaction import Purpose
from simulator.flows import NONE, Flows


def test_a_sealed_day_is_in_time_order_and_stable_within_a_second():
    flows = Flows(2)
    flows.add(1, np.array([5, 6]), 10, np.array([30, 20]), Purpose.purchase)
    flows.add(2, 7, 10, 20, Purpose.purchase)
    sealed = flows.seal()
    assert sealed.at.tolist() == [20, 20, 30]
    assert sealed.dst.tolist() == [6, 7, 5]
    assert sealed.pattern.tolist() == [NONE] * 3


def test_rows_that_move_nothing_are_left_out():
    flows = Flows(0)
    flows.add(1, np.array([2, 3, 4]), np.array([0, -1, 1]), 5, Purpose.transfer)
    assert flows.seal().dst.tolist() == [4]


def test_an_empty_day_can_be_sealed():
    assert len(Flows(0).seal()) == 0


def test_instructions_are_never_repeated():
    days = [Flows(0), Flows(1)]
    drawn = [n for flows in days for _ in range(3) for n in flows.instructions(4).tolist()]
    assert len(set(drawn)) == len(drawn) == 24
    assert min(drawn) > 0
