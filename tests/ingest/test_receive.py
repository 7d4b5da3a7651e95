import subprocess
import sys
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.errors import Conflict, Unavailable, Unknown
from schemas.feed import BatchHeader, BatchStatus
from schemas.instant import DAY, to_rfc3339
from schemas.registry import FeedFormat
from schemas.reject import RejectStatus
from schemas.topics import RECEIPTS, REJECTS, TRANSACTIONS
from services.ingest.body import Body
from services.ingest.partition import partition_of


def test_a_good_batch_goes_on_and_its_receipt_says_so(world, tx):
    receipt = world.push([tx(1), tx(2, ts="2016-05-04T09:31:00Z")], count=2, total="200.50")
    assert receipt.status is BatchStatus.accepted
    assert (receipt.records, receipt.accepted, receipt.rejected) == (2, 2, 0)
    assert receipt.declared == receipt.actual
    assert receipt.actual.sum == Decimal("200.50")
    assert (receipt.last_ts - receipt.first_ts) == 60_000_000
    assert world.receipts() == [receipt]
    (batch,) = world.batches()
    assert (batch.id.feed_id, batch.id.batch_id, batch.id.part) == ("bank_a", receipt.batch_id, 0)
    assert batch.columns.column("tx_id").to_pylist() == ["T1", "T2"]
    assert batch.columns.column("amount_minor").to_pylist() == [10_025, 10_025]
    assert batch.columns.column("src")[0].as_py() == world.tokens.account("6217000000000001")


def test_clear_account_numbers_are_nowhere_but_in_rejects(world, tx):
    world.push([tx(1), tx(2, currency="QQQ")])
    for message in world.messages(RECEIPTS):
        assert b"62170000" not in message.value
    assert all(
        b"62170000" not in bytes(batch.columns.column("src").buffers()[1]) for batch in world.batches()
    )
    (reject,) = world.rejects().values()
    assert "6217000000000002" in reject.raw


def test_a_bad_record_is_named_and_the_rest_go_on(world, tx, as_ndjson):
    receipt = world.push([tx(1), tx(2, amount="-5"), tx(3)])
    assert receipt.status is BatchStatus.partial
    assert (receipt.accepted, receipt.rejected) == (2, 1)
    assert world.tx_ids() == ["T1", "T3"]
    (reject,) = world.rejects().values()
    assert receipt.rejects == (reject.reject_id,)
    assert (reject.record_number, reject.tx_id, reject.field) == (2, "T2", "amount")
    assert reject.raw.strip() == as_ndjson([tx(2, amount="-5")]).decode().strip()
    assert reject.received_at == receipt.received_at
    assert reject.status is RejectStatus.open


def test_a_feed_that_is_all_or_nothing(world, tx):
    receipt = world.push([tx(1), tx(2, amount="-5")], feed="strict")
    assert receipt.status is BatchStatus.rejected
    assert (receipt.accepted, receipt.rejected) == (0, 2)
    assert receipt.reason == "1 of 2 records are bad, and this feed is all or nothing"
    assert world.batches() == []
    assert [reject.record_number for reject in world.rejects().values()] == [0, 2]
    assert receipt.rejects == tuple(world.rejects())
    assert world.push([tx(1), tx(2)], feed="strict", sequence=2).status is BatchStatus.accepted


@pytest.mark.parametrize(
    ("count", "total", "reason"),
    [
        (3, None, "control count: the caller declared 3 records, there are 2"),
        (None, "200.51", "control sum: the caller declared 200.51, the amounts add up to 200.50"),
    ],
)
def test_control_totals_that_do_not_hold_reject_the_whole_batch(world, tx, as_ndjson, count, total, reason):
    body = as_ndjson([tx(1), tx(2)])
    receipt = world.push(body, count=count, total=total)
    assert receipt.status is BatchStatus.rejected
    assert (receipt.accepted, receipt.rejected, receipt.reason) == (0, 2, reason)
    assert (receipt.first_ts, receipt.last_ts) == (None, None)
    assert world.batches() == []
    (reject,) = world.rejects().values()
    assert (reject.record_number, reject.reason) == (0, reason)
    assert reject.raw.encode() == body
    assert receipt.rejects == (reject.reject_id,)


def test_control_totals_count_bad_records_too(world, tx):
    receipt = world.push([tx(1), tx(2, currency="QQQ")], count=2, total="200.50")
    assert receipt.status is BatchStatus.partial


def test_control_totals_inside_the_message(world, pacs008):
    good = world.push(pacs008(count=1, total="617.20"), format=FeedFormat.pacs008)
    assert good.status is BatchStatus.accepted, good.reason
    assert good.declared.count == 1
    bad = world.push(pacs008(count=2, total="617.20"), sequence=2, format=FeedFormat.pacs008)
    assert bad.status is BatchStatus.rejected
    assert bad.reason == "control count: the message declares 2 records, there are 1"
    assert len(world.tx_ids()) == 1


def test_a_batch_that_breaks_off_is_kept_whole(world, pacs008):
    body = pacs008(count=1, total="617.20")[:-40]
    receipt = world.push(body, format=FeedFormat.pacs008)
    assert receipt.status is BatchStatus.rejected
    assert receipt.reason
    assert world.batches() == []
    assert [reject.raw.encode() for reject in world.rejects().values()] == [body]


def test_pushing_again_gives_the_same_receipt_and_publishes_nothing(world, tx):
    receipt = world.push([tx(1), tx(2, amount="x")])
    before = len(world.batches()), len(world.messages(REJECTS)), len(world.receipts())
    for _ in range(2):
        assert world.push([tx(1), tx(2, amount="x")]) == receipt.model_copy(update={"duplicate": True})
        world.restart()
    assert (len(world.batches()), len(world.messages(REJECTS)), len(world.receipts())) == before


def test_without_a_sequence_the_content_is_the_identity(world, tx):
    first = world.push([tx(1)], sequence=None)
    assert world.push([tx(1)], sequence=None).duplicate
    other = world.push([tx(2)], sequence=None)
    assert not other.duplicate
    assert other.batch_id != first.batch_id
    assert world.tx_ids() == ["T1", "T2"]


def test_other_content_under_a_sequence_is_a_conflict(world, tx):
    first = world.push([tx(1)])
    with pytest.raises(Conflict, match=first.digest):
        world.push([tx(2)])
    world.restart()
    with pytest.raises(Conflict, match=first.digest):
        world.push([tx(2)])
    assert world.tx_ids() == ["T1"]


def test_a_rejected_batch_may_come_again_repaired_or_rightly_declared(world, tx):
    rejected = world.push([tx(1)], count=2)
    world.now_us += 1
    again = world.push([tx(1)], count=2)
    assert again == rejected.model_copy(update={"duplicate": True})
    right = world.push([tx(1)], count=1)
    assert (right.status, right.duplicate) == (BatchStatus.accepted, False)
    assert right.batch_id == rejected.batch_id
    world.restart()
    assert world.push([tx(1)], count=1).duplicate
    assert world.tx_ids() == ["T1"]


def test_gaps_count_the_numbers_missing_since_the_highest_seen(world, tx):
    def gap(sequence):
        return world.push([tx(sequence)], sequence=sequence).gap_before

    assert [gap(5), gap(6), gap(9), gap(7), gap(10)] == [0, 0, 2, 0, 0]
    world.restart()
    assert [gap(12), gap(11), gap(13)] == [1, 0, 0]


def test_a_batch_that_replaces_a_rejected_one_keeps_its_gap(world, tx):
    world.push([tx(1)], sequence=1)
    assert world.push([tx(2)], sequence=4, count=2).gap_before == 2
    assert world.push([tx(2)], sequence=4, count=1).gap_before == 2


def test_a_crash_before_the_receipt_publishes_the_same_parts_again(make_world, tx):
    world = make_world(partitions=2)
    batch = [tx(number) for number in range(20_000)] + [tx(1, amount="x")]
    world.log.failing_topic = RECEIPTS.name
    with pytest.raises(Unavailable):
        world.push(batch)
    before, rejects = world.batches(), world.rejects()
    assert world.receipts() == []
    world.log.failing_topic = ""
    world.restart()
    receipt = world.push(batch)
    assert (receipt.status, receipt.duplicate) == (BatchStatus.partial, False)
    again = world.batches()[len(before) :]
    after = {(batch.id, tuple(batch.columns.column("tx_id").to_pylist())) for batch in world.batches()}
    assert len(before) > 2
    assert len(after) == len({batch.id.part for batch in before})  # each part is the same rows, twice
    assert again or len(before) * 2 == len(world.batches())
    assert world.rejects().keys() == rejects.keys()


def test_a_log_that_does_not_answer_leaves_the_batch_untaken(world, tx):
    world.log.failing_flushes = 1
    with pytest.raises(Unavailable):
        world.push([tx(1)])
    assert world.receipts() == []
    assert not world.push([tx(1)]).duplicate


def test_an_unknown_feed_is_told_how_to_register(world, tx):
    with pytest.raises(Unknown, match="POST /v1/registry"):
        world.push([tx(1)], feed="nobody")


def test_times_past_tomorrow_are_refused(world, tx):
    receipt = world.push(
        [tx(1, ts=to_rfc3339(world.now_us + DAY)), tx(2, ts=to_rfc3339(world.now_us + DAY + 1))]
    )
    assert (receipt.accepted, receipt.rejected) == (1, 1)


def test_batches_published_together_have_one_outcome_each(world, tx, as_ndjson):
    receiver = world.ingest.receiver
    batches = [(1, [tx(1)]), (1, [tx(1)]), (1, [tx(2)]), (4, [tx(3)])]
    with ExitStack() as opened:
        staged = []
        for sequence, records in batches:
            header = BatchHeader(feed_id="bank_a", sequence=sequence, format="json")
            body = opened.enter_context(Body.of(as_ndjson(records), 1 << 20))
            staged.append(opened.enter_context(receiver.stage(header, body)))
        first, second, third, fourth = receiver.publish(staged)
    assert second == first.model_copy(update={"duplicate": True})
    assert isinstance(third, Conflict)
    assert fourth.gap_before == 2
    assert world.receipts() == [first, fourth]
    assert world.tx_ids() == ["T1", "T3"]


def test_rows_go_to_the_partitions_of_the_institutions_they_touch(make_world, tx):
    world = make_world(partitions=2)
    here, there = (
        next(f"I{n}" for n in range(9) if partition_of(f"I{n}", 2) == partition) for partition in (0, 1)
    )
    accounts = [
        {"account_id": "here", "institution_id": here},
        {"account_id": "there", "institution_id": there},
    ]
    common = {"kind": "account", "party_id": "P", "bank": "bank_a", "role": "client"}
    world.register(*(common | account for account in accounts))
    world.push(
        [tx(1, src="here", dst="x"), tx(2, src="x", dst="there"), tx(3, src="here", dst="there"), tx(4)]
    )
    routed = {}
    for message, batch in zip(_transfers(world), world.batches(), strict=True):
        routed.setdefault(message.partition, []).extend(batch.columns.column("tx_id").to_pylist())
    assert routed == {0: ["T1", "T3", "T4"], 1: ["T2", "T3", "T4"]}


def _transfers(world):
    return [one for one in world.messages(TRANSACTIONS) if one.headers["kind"] == b"transfers"]


def test_memory_does_not_grow_with_the_batch(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "tests.ingest.peak_memory", tmp_path],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert found.returncode == 0, found.stderr
    # 10 MB or so of ids, to tell repeated ones; the batch and its rows alone would be 250 MB.
    assert int(found.stdout) < 40 << 10
