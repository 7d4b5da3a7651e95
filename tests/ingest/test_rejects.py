from base64 import b64decode
from io import BytesIO

import pytest

from schemas.reject import Reject
from schemas.topics import MAX_MESSAGE_BYTES
from services.ingest.normalise import Bad
from services.ingest.rejects import RAW_BYTES, Origin, rejects_of, rejects_of_batch

ORIGIN = Origin("bank_a", "0" * 32, "1" * 64, 1_462_500_000_000_000)


def read(kept):
    kept = list(kept)
    rejects = [Reject.model_validate_json(one.json) for one in kept]
    assert [one.reject_id.decode() for one in kept] == [reject.reject_id for reject in rejects]
    return rejects


def raw_of(reject):
    return b64decode(reject.raw) if reject.raw_encoding == "base64" else reject.raw.encode()


@pytest.mark.parametrize("raw", [b"", b'{"tx_id":"T1"}', "账户".encode(), b"\xff\x00\xfe", b"\x00" * 10])
def test_a_record_is_kept_whole(raw):
    (reject,) = read(rejects_of(ORIGIN, Bad(7, "T1", "amount", "is wrong", raw)))
    assert raw_of(reject) == raw
    assert (reject.record_number, reject.tx_id, reject.field, reject.reason) == (
        7,
        "T1",
        "amount",
        "is wrong",
    )
    assert reject.received_at == ORIGIN.received_us


@pytest.mark.parametrize(
    "body",
    [
        b"line\n" * (RAW_BYTES // 2),
        b"x" * (RAW_BYTES + 1),
        b"\x00" * (2 * RAW_BYTES),
        ("账" * RAW_BYTES).encode(),
    ],
    ids=["lines", "one line", "worst for JSON", "characters cut in two"],
)
def test_a_batch_is_kept_whole_in_pieces_that_fit_a_message(body):
    kept = list(rejects_of_batch(ORIGIN, "cannot be read", BytesIO(body)))
    assert max(len(one.json) for one in kept) < MAX_MESSAGE_BYTES
    rejects = read(kept)
    assert len(rejects) > 1
    assert b"".join(map(raw_of, rejects)) == body
    assert len({reject.reject_id for reject in rejects}) == len(rejects)
    assert {reject.record_number for reject in rejects} == {0}
    assert rejects[0].reason == "cannot be read"
    assert rejects[1].reason == "cannot be read (continued, piece 2)"


def test_text_is_cut_between_lines():
    rejects = read(rejects_of_batch(ORIGIN, "", BytesIO("账户\n".encode() * RAW_BYTES)))
    assert all(reject.raw_encoding == "utf-8" and reject.raw.endswith("\n") for reject in rejects)


def test_the_same_content_gives_the_same_ids_and_other_content_others():
    bad = Bad(1, "", "", "", b"x")
    again = Origin(ORIGIN.feed_id, ORIGIN.batch_id, ORIGIN.digest, 5)
    repaired = Origin(ORIGIN.feed_id, ORIGIN.batch_id, "2" * 64, 5)
    ids = [next(iter(rejects_of(origin, bad))).reject_id for origin in (ORIGIN, again, repaired)]
    assert ids[0] == ids[1] != ids[2]
