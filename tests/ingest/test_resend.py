import json

import pytest

from schemas.errors import Conflict, InvalidInput, InvalidRecord, Unavailable, Unknown
from schemas.feed import BatchStatus
from schemas.reject import RejectStatus
from schemas.topics import RECEIPTS
from services.ingest.registration import REGISTRY_FEED


@pytest.fixture
def rejected(world, tx):
    """A batch of two with one bad record; its reject."""
    world.push([tx(1), tx(2, amount="-5")])
    (reject,) = world.rejects().values()
    return reject


def record(transaction):
    return json.dumps(transaction).encode()


def test_a_repaired_record_goes_on_as_its_own_batch(world, tx, rejected):
    answer = world.ingest.resend.resend(rejected.reject_id, record(tx(2)))
    assert (answer.feed_id, answer.tx_id) == ("bank_a", "T2")
    assert world.tx_ids() == ["T1", "T2"]
    assert world.batches()[-1].id.batch_id == answer.batch_id != rejected.batch_id
    (reject,) = world.rejects().values()
    assert reject == rejected.model_copy(update={"status": RejectStatus.resent, "resent_as": "T2"})
    receipt = world.receipts()[-1]
    assert (receipt.status, receipt.accepted, receipt.rejected) == (BatchStatus.accepted, 2, 0)
    assert world.push([tx(1), tx(2, amount="-5")]).duplicate


def test_twice_gives_the_same_answer_and_one_transaction(world, tx, rejected):
    answer = world.ingest.resend.resend(rejected.reject_id, record(tx(2)))
    world.restart()
    assert world.ingest.resend.resend(rejected.reject_id, record(tx(2, tx_id="T3"))) == answer
    assert world.tx_ids() == ["T1", "T2"]


@pytest.mark.parametrize(
    ("repaired", "field"),
    [
        (lambda tx: record(tx(2, amount="5.001")), "amount"),
        (lambda tx: b"{}", "tx_id"),
        (lambda tx: record(tx(2)) + b"\n" + record(tx(3)), ""),
        (lambda tx: b"[]", ""),
    ],
)
def test_a_record_that_is_bad_still_changes_nothing(world, tx, rejected, repaired, field):
    with pytest.raises(InvalidRecord) as refused:
        world.ingest.resend.resend(rejected.reject_id, repaired(tx))
    assert refused.value.field == field
    assert world.rejects()[rejected.reject_id].status is RejectStatus.open
    assert world.tx_ids() == ["T1"]


def test_what_is_not_json_at_all_is_refused(world, rejected):
    with pytest.raises(InvalidInput):
        world.ingest.resend.resend(rejected.reject_id, b"\xff\x00")


def test_an_unknown_reject(world, tx):
    with pytest.raises(Unknown):
        world.ingest.resend.resend("0" * 32, record(tx(1)))


def test_a_record_goes_on_with_its_batch_or_alone_but_never_both(world, tx):
    world.push([tx(1), tx(2, amount="x")], feed="strict")
    whole, single = world.rejects().values()
    with pytest.raises(InvalidInput, match="batch as a whole"):
        world.ingest.resend.resend(whole.reject_id, record(tx(1)))
    with pytest.raises(Conflict, match="its whole batch was rejected"):
        world.ingest.resend.resend(single.reject_id, record(tx(2)))


def test_a_record_whose_batch_came_again_is_not_resent(world, tx):
    world.push([tx(1, amount="x")])
    (reject,) = world.rejects().values()
    world.now_us += 1
    assert world.push([tx(1)]).status is BatchStatus.accepted
    with pytest.raises(Conflict, match="pushed again since"):
        world.ingest.resend.resend(reject.reject_id, record(tx(1)))


def test_a_batch_one_of_whose_records_was_resent_does_not_come_again(world, tx):
    world.push([tx(1, amount="x")])
    (reject,) = world.rejects().values()
    world.ingest.resend.resend(reject.reject_id, record(tx(1)))
    with pytest.raises(Conflict):
        world.push([tx(1)])
    assert world.tx_ids() == ["T1"]


def test_registry_lines_are_registered_not_resent(world, tx):
    world.register({"kind": "planet"})
    (reject,) = world.rejects().values()
    with pytest.raises(InvalidInput, match=REGISTRY_FEED):
        world.ingest.resend.resend(reject.reject_id, record(tx(1)))


def test_a_crash_in_between_publishes_the_same_batch_again(world, tx, rejected):
    world.log.failing_topic = RECEIPTS.name
    with pytest.raises(Unavailable):
        world.ingest.resend.resend(rejected.reject_id, record(tx(2)))
    world.log.failing_topic = ""
    world.ingest.resend.resend(rejected.reject_id, record(tx(2)))
    repairs = [batch.id for batch in world.batches()][1:]
    assert len(set(repairs)) == 1
