"""What a transfer costs before and between the services, on one core: reading JSON, and the columnar batch.

    make bench-codec                or: python -m benchmarks.codec --help

Ingest: a JSON batch as a bank sends it becomes checked, tokenised columns, through the functions that
ingest itself calls. Beside it, in the same run: msgspec's typed decoding alone, and pydantic's
validation of the same fields alone. Columnar: schemas.batch.encode, and decode with the views that
the detector takes. Each figure is the median of several passes over the same batches, subjects
alternating. Writes build/bench/codec.json.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import click
import msgspec
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from benchmarks.machine import load_average, machine
from schemas.batch import BatchId, TransferBatch, decode, encode
from schemas.instant import MAX_INSTANT
from schemas.transaction import Transaction
from services.ingest.formats import json as json_format
from services.ingest.formats.parsed import Parsed
from services.ingest.normalise import normalise
from services.ingest.tokens import Tokeniser
from simulator.world import simulate

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench" / "codec.json"
KEY = b"key of the codec benchmark"

Batches = Sequence[bytes]
Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Reference = Annotated[str, StringConstraints(max_length=128)]
Short = Annotated[str, StringConstraints(max_length=40)]


class PydanticTransaction(BaseModel):
    """The fields and bounds of schemas.transaction.Transaction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tx_id: Id
    ts: Short
    src: Reference
    dst: Reference
    amount: Short
    currency: Annotated[str, StringConstraints(max_length=3)]
    channel: Reference = ""
    src_bank: Reference = ""
    dst_bank: Reference = ""
    purpose: Short = ""
    product: Reference = ""
    instruction: Reference = ""
    reversal_of: Reference = ""


def ingest(tokens: Tokeniser) -> Callable[[bytes], list[Any]]:
    """A JSON batch to its columns, as services.ingest.staging reads it."""

    def read(content: bytes) -> list[Any]:
        records = (one for one in json_format.parse(BytesIO(content)) if isinstance(one, Parsed))
        chunks = list(normalise(records, tokens, MAX_INSTANT))
        assert not any(chunk.bad for chunk in chunks)
        return [chunk.columns for chunk in chunks]

    return read


def views(message: bytes) -> object:
    """A columnar message to what the detector reads of it."""
    batch = decode(message)
    return (
        batch.int64("ts_us"),
        batch.int64("amount_minor"),
        batch.purposes(),
        batch.tokens("src"),
        batch.tokens("dst"),
    )


def rates(
    work: dict[str, tuple[Callable[[Any], object], Sequence[Any]]], rows: int, passes: int
) -> dict[str, Any]:
    """Transfers a second of each subject over its batches, which hold `rows` in all."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    cpu_seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(passes):
        for name, (function, batches) in work.items():
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            for batch in batches:
                function(batch)
            seconds[name].append(time.perf_counter() - began_s)
            cpu_seconds[name].append(time.process_time() - began_cpu_s)
    return {
        name: {
            "transfers_per_second": round(rows / median(seconds[name])),
            "transfers_per_core_second": round(rows / median(cpu_seconds[name])),
            "best": round(rows / min(seconds[name])),
        }
        for name in work
    }


def measure(transfers: Sequence[Transaction], rows: int, passes: int) -> dict[str, Any]:
    """All subjects on batches of `rows`."""
    chunks = [transfers[first : first + rows] for first in range(0, len(transfers), rows)]
    arrays = [msgspec.json.encode(chunk) for chunk in chunks]
    lines = [b"\n".join(map(msgspec.json.encode, chunk)) for chunk in chunks]
    tokens = Tokeniser(KEY)
    read = ingest(tokens)
    batches = [
        TransferBatch(BatchId("bench", str(number), 0), columns)
        for number, columns in enumerate(chain.from_iterable(map(read, arrays)))
    ]
    return {
        "rows_a_batch": rows,
        "bytes_a_record": round(sum(map(len, arrays)) / len(transfers)),
        "bytes_a_columnar_row": round(sum(len(encode(batch)) for batch in batches) / len(transfers)),
    } | rates(
        {
            "ingest_json_array": (read, arrays),
            "ingest_ndjson": (read, lines),
            "ingest_json_array_every_account_new": (lambda content: ingest(Tokeniser(KEY))(content), arrays),
            "msgspec_typed_decode": (msgspec.json.Decoder(list[Transaction]).decode, arrays),
            "pydantic_validation": (TypeAdapter(list[PydanticTransaction]).validate_json, arrays),
            "columnar_encode": (encode, batches),
            "columnar_decode_and_views": (views, [encode(batch) for batch in batches]),
        },
        len(transfers),
        passes,
    )


@click.command()
@click.option("--seed", default=11, show_default=True)
@click.option("--transfers", default=100_000, show_default=True, help="Of the simulated world.")
@click.option("--rows", default="500,1024,8192", show_default=True, help="Transfers a batch, with commas.")
@click.option("--passes", default=5, show_default=True)
def main(seed: int, transfers: int, rows: str, passes: int) -> None:
    """Measure ingest's reading and the columnar batch on this machine; write build/bench/codec.json."""
    played = chain.from_iterable(day.transfers for day in simulate(seed, 365).days())
    load = list(islice(played, transfers))
    before = load_average()
    batches = [measure(load, int(each), passes) for each in rows.split(",")]
    result = {
        "command": f"python -m benchmarks.codec {' '.join(sys.argv[1:])}".strip(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "load_average_before": before,
        "load_average_after": load_average(),
        "transfers": len(load),
        "batches": batches,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    print(f"Wrote {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
