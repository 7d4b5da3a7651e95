"""What is remembered of young loans."""

from __future__ import annotations

import numpy as np

from services.detector.flows.lending import Listing
from services.detector.flows.young_loans import YoungLoans


def test_the_smallest_loan_of_each_account_and_nothing_where_one_is_new() -> None:
    young = YoungLoans()
    for listing, minor in ((Listing("p2p", "a", 7, 0, True), 500), (Listing("p2p", "b", 7, 0, True), 300)):
        young.add(listing, 0, minor)
    accounts, new = np.array([7, 8, 9], np.int32), np.array([8, 8], np.int32)
    assert young.least_minor(accounts, new).tolist() == [300, 0, 2**62]
    assert young.least_minor(accounts, new[:0]).tolist() == [300, 2**62, 2**62]
