import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.streams import money, pro_rata, shares, stream


def test_a_stream_depends_on_all_of_its_name_and_on_nothing_else():
    first = stream(1, "payroll", 3).integers(0, 2**60, 4)
    assert (first == stream(1, "payroll", 3).integers(0, 2**60, 4)).all()
    others = [stream(2, "payroll", 3), stream(1, "payroll", 4), stream(1, "payrol", "l", 3)]
    assert all((first != other.integers(0, 2**60, 4)).any() for other in others)


@given(st.integers(1, 10**14), st.lists(st.integers(1, 10**11), min_size=1, max_size=60))
def test_pro_rata_loses_nothing_and_favours_nobody_by_more_than_the_remainder(total, holdings):
    parts = pro_rata(total, np.array(holdings))
    assert parts.sum() == total
    exact = [total * h / sum(holdings) for h in holdings]
    assert all(abs(int(p) - e) <= len(holdings) + 1e-3 * e for p, e in zip(parts, exact, strict=True))


@given(st.integers(10_000, 10**13), st.integers(1, 12), st.integers(0, 2**32))
def test_shares_add_up_to_the_total(total, parts, seed):
    cut = shares(stream(seed, "test"), total, parts, 100)
    assert cut.sum() == total
    assert (cut >= 0).all()


@given(st.integers(0, 2**32), st.sampled_from([1, 10, 100, 10_000]))
def test_money_is_positive_and_in_steps(seed, step):
    drawn = money(stream(seed, "test"), 5_000, 1.0, 50, step)
    assert (drawn > 0).all()
    assert (drawn % step == 0).all()
