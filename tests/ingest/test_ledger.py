from decimal import Decimal

import pytest

from schemas.errors import Conflict
from schemas.feed import ControlTotals, Receipt
from schemas.topics import RECEIPTS
from services.ingest.ledger import Ledger, batch_id_of, key_of, settled


def receipt(sequence, feed="bank_a", digest="d" * 64, status="accepted", **changes):
    return Receipt(
        feed_id=feed,
        batch_id=batch_id_of(feed, sequence, digest),
        sequence=sequence,
        digest=digest,
        format="json",
        status=status,
        received_at=1,
        records=0,
        accepted=0,
        rejected=0,
        declared=None,
        actual=ControlTotals(count=0, sum=Decimal(0)),
        **changes,
    )


def append(log, *receipts):
    for one in receipts:
        log.append(RECEIPTS, key_of(one), one.model_dump_json().encode())
    log.flush()


def find(ledger, one):
    return ledger.find(one.feed_id, one.batch_id, one.sequence)


def test_an_identity_is_the_sequence_else_the_content():
    assert batch_id_of("f", 1, "d") == batch_id_of("f", 1, "e")
    assert batch_id_of("f", None, "d") != batch_id_of("f", None, "e")
    assert len({batch_id_of("f", 1, "d"), batch_id_of("g", 1, "d"), batch_id_of("f", None, "1")}) == 3


def test_a_receipt_settles_what_is_pushed_again():
    taken = receipt(1)
    assert settled(None, "d" * 64) is None
    assert settled(taken, "d" * 64) == taken.model_copy(update={"duplicate": True})
    with pytest.raises(Conflict, match=f"(?s){'d' * 64}.*{'e' * 64}"):
        settled(taken, "e" * 64)
    assert settled(receipt(1, status="rejected"), "e" * 64) is None


def test_is_rebuilt_from_the_topic_newest_first(world):
    old, new = receipt(1, status="rejected"), receipt(1, reason="repaired")
    append(world.log, old, receipt(2), new)
    ledger = Ledger(world.log)
    assert find(ledger, old) == new
    assert ledger.newest("bank_a") == 2
    assert ledger.newest("bank_b") == -1
    assert find(ledger, receipt(3)) is None


def test_what_memory_does_not_hold_is_found_in_the_topic(world):
    receipts = [receipt(number) for number in range(10)] + [receipt(None, digest="e" * 64)]
    append(world.log, *receipts)
    ledger = Ledger(world.log, recent=2)
    assert [find(ledger, one) for one in receipts] == receipts
    assert [ledger.search(one.feed_id, one.batch_id) for one in receipts] == receipts
    assert ledger.search("bank_a", "0" * 32) is None


def test_beyond_the_known_batches_sequences_are_still_told_and_content_is_taken_as_new(world, caplog):
    files = [receipt(None, digest=digest * 64) for digest in "abc"]
    numbered = [receipt(number) for number in range(5)]
    append(world.log, *files, *numbered)
    ledger = Ledger(world.log, recent=1, known=2)
    assert "older ones are forgotten" in caplog.text
    assert [find(ledger, one) for one in numbered] == numbered
    assert find(ledger, receipt(5)) is None
    assert [find(ledger, one) for one in files] == [None, None, None]
    assert len(ledger._known) == 2


def test_one_busy_feed_does_not_push_out_another(world):
    quiet = receipt(1, feed="quiet")
    ledger = Ledger(world.log, recent=3)
    ledger.record(quiet)
    for number in range(50):
        ledger.record(receipt(number))
    assert find(ledger, quiet) == quiet  # from memory: it is not in the topic
