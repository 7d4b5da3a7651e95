from decimal import Decimal

import pytest

from schemas.feed import BatchHeader
from services.ingest.formats.parsed import Declared
from services.ingest.totals import SILENT, Totals, declared, mismatch, together


def header(count=None, total=None):
    return BatchHeader(
        feed_id="bank_a", format="json", control_count=count, control_sum=total and Decimal(total)
    )


ACTUAL = Totals(3, Decimal("30.50"))


@pytest.mark.parametrize(
    ("outside", "inside", "wrong"),
    [
        (header(), SILENT, ""),
        (header(3, "30.5"), SILENT, ""),
        (header(4), SILENT, "control count: the caller declared 4 records, there are 3"),
        (header(3, "30.51"), SILENT, "control sum: the caller declared 30.51, the amounts add up to 30.50"),
        (header(), Declared(3, Decimal("30.50")), ""),
        (header(), Declared(2, None), "control count: the message declares 2 records, there are 3"),
        (header(3), Declared(None, Decimal(1)), "control sum: the message declares 1, the amounts add up to"),
        (header(), Declared(None, Decimal("NaN")), "control sum: the message declares NaN"),
    ],
)
def test_mismatch(outside, inside, wrong):
    found = mismatch(outside, inside, ACTUAL)
    assert found.startswith(wrong)
    assert bool(found) == bool(wrong)


@pytest.mark.parametrize(
    ("claims", "both"),
    [
        ([Declared(1, Decimal(2))], Declared(1, Decimal(2))),
        ([Declared(1, Decimal(2)), Declared(3, Decimal(4))], Declared(4, Decimal(6))),
        ([Declared(1, None), Declared(3, Decimal(4))], Declared(4, None)),
        ([SILENT, Declared(3, Decimal(4))], SILENT),
    ],
)
def test_claims_of_statements_add_up(claims, both):
    found = None
    for claim in claims:
        found = together(found, claim)
    assert found == both


def test_the_receipt_shows_the_callers_figures_first():
    shown = declared(header(7), Declared(8, Decimal(9)), ACTUAL)
    assert (shown.count, shown.sum) == (7, Decimal(9))
    assert declared(header(), SILENT, ACTUAL) is None
    assert declared(header(3), SILENT, ACTUAL).sum == ACTUAL.sum


@pytest.mark.parametrize(
    ("total", "shown"),
    [("30.50", "30.50"), ("1.2345678", "1.23457"), ("9" * 39, "1" + "0" * 22)],
)
def test_absurd_sums_still_make_a_receipt(total, shown):
    assert Totals(1, Decimal(total)).shown().sum == Decimal(shown)


def test_a_claim_that_is_no_total_is_not_shown():
    assert declared(header(), Declared(None, Decimal(-1)), ACTUAL) is None
