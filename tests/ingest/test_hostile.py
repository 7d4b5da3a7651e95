"""Files made to break parsers, sent as batches in every format: each leaves a trace, none does harm."""

from pathlib import Path

import pytest

from schemas.registry import FeedFormat
from schemas.topics import DIRECT_FEEDS, DIRECT_REGISTRY
from services.ingest.direct import GROUP, DirectIntake

HOSTILE = Path(__file__).parents[2].parent / "shared" / "data" / "hostile"


@pytest.mark.parametrize("format", FeedFormat)
def test_every_file_leaves_a_trace_and_the_next_good_batch_lands(world, tx, as_ndjson, format):
    if not HOSTILE.is_dir():
        pytest.skip(f"no hostile files at {HOSTILE}: they are not part of the project")
    files = sorted(path for path in HOSTILE.rglob("*") if path.is_file())
    assert len(files) > 200
    consumer = world.log.consume((DIRECT_FEEDS, DIRECT_REGISTRY), GROUP)
    for number, path in enumerate(files):
        headers = {"feed": b"bank_a", "format": format.encode(), "sequence": b"%d" % number}
        world.log.append(DIRECT_FEEDS, b"", path.read_bytes(), headers)
    world.log.append(DIRECT_FEEDS, b"", as_ndjson([tx(1)]), {"feed": b"keyless"})
    intake = DirectIntake(world.ingest, consumer)
    while intake.step(timeout_ms=0):
        pass
    consumer.close()

    *hostile, good = world.receipts()
    assert [receipt.sequence for receipt in hostile] == list(range(len(files)))
    assert good.accepted == 1
    assert world.tx_ids() == ["T1"]
    rejects = world.rejects().values()
    assert not [reject.reason for reject in rejects if "internal error" in reject.reason]
    rejected = {reject.batch_id for reject in rejects}
    empty = [receipt for receipt in hostile if receipt.records == 0 and not receipt.reason]
    assert len(rejected) + len(empty) == len(files)
