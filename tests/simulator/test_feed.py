import json
from collections import defaultdict
from decimal import Decimal

import msgspec
import pytest

from schemas.errors import InvalidRecord
from schemas.instant import to_micros
from schemas.registry import Feed
from schemas.transaction import Purpose, Transaction
from simulator.feed import CLEAN, INTERVAL_US, Dirt, feed_batches
from simulator.world import simulate

DIRT = Dirt(bad_records=0.01, late_batches=0.03, repeated_batches=0.03)


@pytest.fixture(scope="module")
def world():
    return simulate(4, 2)


def good(line: bytes) -> Transaction | None:
    try:
        transfer = msgspec.json.decode(line, type=Transaction)
        to_micros(transfer.ts)
        if transfer.currency != "CNY" or transfer.purpose not in {p.name for p in Purpose} | {""}:
            return None
    except (msgspec.ValidationError, InvalidRecord):
        return None
    return transfer


def test_a_clean_feed_carries_every_transfer_once_unchanged(world):
    sent = [good(line) for batch in feed_batches(world, CLEAN) for line in batch.content.splitlines()]
    assert None not in sent
    made = [transfer for day in world.days() for transfer in day.transfers]
    assert sorted(sent, key=lambda t: t.tx_id) == made


def test_a_dirty_feed_carries_every_transfer_in_the_end(world):
    sent, bad = {}, 0
    for batch in feed_batches(world, DIRT):
        for line in batch.content.splitlines():
            transfer = good(line)
            bad += transfer is None
            if transfer is not None:
                sent[transfer.tx_id] = transfer
    assert bad > 20
    assert list(dict(sorted(sent.items())).values()) == [t for day in world.days() for t in day.transfers]


def test_batches_come_in_the_order_they_are_sent_numbered_without_a_gap(world):
    batches = list(feed_batches(world, DIRT))
    due = [batch.due_us for batch in batches]
    assert due == sorted(due)
    numbers = defaultdict(list)
    for batch in batches:
        numbers[batch.feed_id].append(batch.sequence)
    known = {record.feed_id for record in world.registry if isinstance(record, Feed)}
    assert set(numbers) == known
    for sequence in numbers.values():
        assert sorted(set(sequence)) == list(range(1, len(set(sequence)) + 1))
    assert any(sequence != sorted(sequence) for sequence in numbers.values()), "no batch was late"
    assert any(len(sequence) > len(set(sequence)) for sequence in numbers.values()), "none was repeated"


def test_control_totals_are_those_of_the_lines(world):
    for batch in feed_batches(world, DIRT):
        records = [json.loads(line) for line in batch.content.splitlines()]
        assert batch.control_count == len(records)
        assert batch.control_sum == sum(Decimal(record["amount"]) for record in records)


def test_nothing_is_sent_before_it_happened(world):
    for batch in feed_batches(world, DIRT):
        for line in batch.content.splitlines():
            if transfer := good(line):
                assert to_micros(transfer.ts) < batch.due_us


def test_a_clean_batch_is_sent_at_the_end_of_its_quarter_of_an_hour(world):
    for batch in feed_batches(world, CLEAN):
        times = [to_micros(json.loads(line)["ts"]) for line in batch.content.splitlines()]
        assert batch.due_us - INTERVAL_US <= min(times)
        assert max(times) < batch.due_us


def test_the_same_world_sends_the_same_bytes(world):
    assert list(feed_batches(world, DIRT)) == list(feed_batches(world, DIRT))
