"""Banks' late reports: rare, of one bank, and the same in a longer world."""

from dataclasses import replace

import numpy as np
import pytest

from schemas.instant import DAY, HOUR, to_micros
from simulator.arrivals import Arrivals
from simulator.parameters import DEFAULT_START, OUTAGE_HOURS
from simulator.reporting import INTERVAL_US, Delay, delays, sent_late
from simulator.world import simulate

START = to_micros(DEFAULT_START)
YEAR = delays(1, 20, START, 365)


def test_a_longer_world_begins_with_the_delays_of_a_shorter_one():
    short = delays(1, 20, START, 100)
    assert YEAR[: len(short)] == short
    assert all(delay.from_us >= START + 100 * DAY for delay in YEAR[len(short) :])


def test_there_are_outages_and_lost_batches_within_the_detectors_lateness_and_beyond():
    outages = [one for one in YEAR if one.until_us - one.from_us > INTERVAL_US]
    lost = [one for one in YEAR if one.until_us - one.from_us == INTERVAL_US]
    assert 10 <= len(outages) <= 32  # one a bank and year
    assert 180 <= len(lost) <= 290  # one in 3 000
    for one in outages:
        assert OUTAGE_HOURS[0] * HOUR <= one.until_us - one.from_us <= OUTAGE_HOURS[1] * HOUR
    for some in (outages, lost):
        waits = [one.sent_us - one.from_us for one in some]
        assert min(waits) <= DAY < max(waits)


@pytest.mark.parametrize(
    ("at", "bank", "sent"), [(9, 1, 0), (10, 1, 50), (19, 1, 50), (20, 1, 0), (10, 2, 0)]
)
def test_what_is_sent_late(at, bank, sent):
    found = sent_late((Delay(1, 10, 20, 50),), np.array([bank]), np.array([at]))
    assert found.tolist() == [sent]


def test_every_transfer_arrives_once_and_none_before_it_happened():
    world, arrivals, arrived = simulate(4, 3), Arrivals(), []
    late = (
        Delay(0, START, START + DAY // 2, START + DAY + HOUR),
        Delay(1, START + DAY, START + 2 * DAY, START + 9 * DAY),
    )
    world = replace(world, delays=late)
    made = []
    for day in world.days():
        made += day.transfers
        arrived += arrivals.of(day)
        assert all(to_micros(one.ts) < day.date.begin_us + DAY for one in arrived)
    assert len(arrived) < len(made)
    arrived += arrivals.rest()
    assert arrived != made
    assert sorted(arrived, key=lambda one: one.tx_id) == made
