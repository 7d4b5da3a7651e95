import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidInput
from services.api import cursors

START = (2**62, "")


@given(st.integers(-(2**63), 2**63 - 1), st.text(max_size=50))
def test_a_place_survives_its_cursor(at: int, name: str) -> None:
    cursor = cursors.encode("alerts", (at, name))
    assert cursors.decode("alerts", cursor, START) == (at, name)


def test_no_cursor_is_the_start() -> None:
    assert cursors.decode("alerts", None, START) == START


@given(st.text(max_size=80))
def test_anything_else_is_refused_or_a_place(cursor: str) -> None:
    try:
        place = cursors.decode("alerts", cursor, START)
    except InvalidInput:
        return
    assert [type(part) for part in place] == [int, str]


def _forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "é",
        "not base64 !",
        base64.urlsafe_b64encode(b"[" * 400).decode(),
        base64.urlsafe_b64encode(b"7").decode(),
        _forged(),
        _forged("alerts"),
        _forged("alerts", 1),
        _forged("alerts", "1", "x"),
        _forged("alerts", True, "x"),
        _forged("alerts", 1.0, "x"),
        _forged("alerts", 2**63, "x"),
        _forged("alerts", 1, None),
        _forged("alerts", 1, "x", 2),
        _forged("rejects", 1, "x"),
    ],
)
def test_a_cursor_of_another_list_or_none_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="start anew"):
        cursors.decode("alerts", cursor, START)


@pytest.mark.parametrize(("rows", "shown", "follows"), [(0, 0, False), (2, 2, False), (3, 2, True)])
def test_one_row_more_than_the_limit_means_a_next_page(rows: int, shown: int, follows: bool) -> None:
    stretch = cursors.cut("feeds", [(f"f{n}",) for n in range(rows)], 2, lambda row: row)
    assert len(stretch.rows) == shown
    assert (stretch.cursor is not None) == follows
