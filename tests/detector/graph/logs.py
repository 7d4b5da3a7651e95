"""Random logs, and ways to cut them into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.detector.graph.stream import Transfer

WINDOW, LATENESS = 20, 5
MARK = 1


@dataclass(frozen=True)
class Mark:
    account: int


Event = Transfer | Mark


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """A log: ties, duplicates, transfers to oneself and OUTSIDE, late and out-of-order rows, marks."""
    clock = 1000
    log: list[Event] = []
    for number in range(draw(st.integers(1, 45))):
        if draw(st.integers(0, 15)) == 0:
            log.append(Mark(draw(st.integers(1, 6))))
        clock += draw(st.sampled_from([0, 0, 1, 1, 2, 5, 13, WINDOW + LATENESS]))
        behind = draw(st.sampled_from([0, 0, 0, 0, 1, 2, LATENESS, LATENESS + 1, 25, 26]))
        duplicate = draw(st.integers(0, 8)) == 0
        log.append(
            Transfer(
                tx_id=f"t{draw(st.integers(0, number)) if duplicate else number}",
                src=draw(st.integers(0, 6)),
                dst=draw(st.sampled_from([0, 1, 1, 1, 2, 3, 4, 5, 6])),
                ts_us=clock - behind,
                amount_minor=draw(st.integers(0, 1000)),
                currency=draw(st.sampled_from(["CNY", "CNY", "USD"])),
                product=draw(st.sampled_from(["", "P1", "P2"])),
                purpose=draw(st.integers(0, 18)),
            )
        )
    return log


@st.composite
def cuts(draw: st.DrawFn) -> set[int]:
    """Places in the log after which a batch ends."""
    return draw(st.sets(st.integers(0, 60), max_size=draw(st.sampled_from([0, 4, 60]))))


def batches(log: Sequence[Event], ends: set[int]) -> Iterator[list[Transfer] | Mark]:
    rows: list[Transfer] = []
    for place, event in enumerate(log):
        if isinstance(event, Mark):
            if rows:
                yield rows
                rows = []
            yield event
        else:
            rows.append(event)
            if place in ends:
                yield rows
                rows = []
    if rows:
        yield rows
