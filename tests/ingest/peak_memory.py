"""How many KB the peak memory of a process grows from taking a batch of 20 MB to one of 130 MB."""

import json
import resource
import sys
from pathlib import Path

from eventlog.embedded import EmbeddedLog
from schemas.feed import BatchHeader
from services.ingest.body import Body
from services.ingest.ingest import Ingest
from services.ingest.settings import Settings


def record(number):
    """About 600 bytes; every twentieth is bad, many in a row."""
    return {
        "tx_id": f"T{number}",
        "ts": "2016-05-04",
        "src": str(number % 997),
        "dst": "D",
        "amount": "1.00" if number % 50_000 >= 2_500 else "bad",
        "currency": "CNY",
        "instruction": "i" * 128,
        "product": str(number % 53) + "p" * 120,
        "reversal_of": "r" * 128,
    }


def peak_after(ingest, sequence, megabytes):
    header = BatchHeader(feed_id="bank_a", sequence=sequence, format="json")
    with Body(1 << 30, ingest.settings.spool_folder) as body:
        sent = 0
        while body.size < megabytes << 20:
            lines = [json.dumps(record(number)) + "\n" for number in range(sent, sent + 1000)]
            sent += len(lines)
            body.write("".join(lines).encode())
        receipt = ingest.receiver.receive(header, body)
    assert receipt.records == sent, receipt
    assert 0.9 * sent < receipt.accepted < sent, receipt
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(folder):
    with EmbeddedLog(folder / "log") as log:
        ingest = Ingest(log, Settings(token_key=b"k" * 32, spool_folder=folder))
        with Body.of(b'{"kind":"feed","feed_id":"bank_a","bank":"bank_a"}', 1 << 20) as body:
            ingest.registration.register(body)
        small = peak_after(ingest, 1, 20)
        sys.stdout.write(str(peak_after(ingest, 2, 130) - small))


main(Path(sys.argv[1]))
