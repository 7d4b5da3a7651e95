"""Transfers as tests write them, and the columnar batches the graph takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schemas.account import OUTSIDE
from schemas.batch import SCHEMA, BatchId, TransferBatch


@dataclass(frozen=True)
class Transfer:
    """`src` and `dst` are small numbers; 0 is OUTSIDE."""

    tx_id: str
    src: int
    dst: int
    ts_us: int
    amount_minor: int = 100
    currency: str = "CNY"
    product: str = ""
    purpose: int = 0


def token(account: int) -> bytes:
    """Three accounts share the half that is hashed, so that tokens collide where they can."""
    return (account // 3 + 1).to_bytes(8, "big") + account.to_bytes(8, "big") if account else OUTSIDE


def batch(transfers: Sequence[Transfer], feed: str = "bank", number: int = 0) -> TransferBatch:
    rows = [
        {
            "tx_id": transfer.tx_id,
            "ts_us": transfer.ts_us,
            "src": token(transfer.src),
            "dst": token(transfer.dst),
            "amount_minor": transfer.amount_minor,
            "currency": transfer.currency,
            "purpose": transfer.purpose,
            "product": transfer.product,
            "channel": "",
            "src_bank": "",
            "dst_bank": "",
            "instruction": "",
            "reversal_of": "",
        }
        for transfer in transfers
    ]
    columns = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    return TransferBatch(BatchId(feed, str(number), 0), columns)


def large_batch(first: int, rows: int, accounts: int, rng: np.random.Generator) -> TransferBatch:
    """Random transfers of one currency a millisecond apart, up to 20 ms out of order."""
    numbers = np.arange(first, first + rows)
    halves = np.zeros((2, rows, 2), "<u8")
    halves[:, :, 0] = 1 + rng.integers(0, accounts, (2, rows))
    tokens = [
        pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(end.tobytes())])
        for end in halves
    ]
    columns: dict[str, pa.Array] = {
        "tx_id": pa.array([f"t{number}" for number in numbers]),
        "ts_us": pa.array(numbers * 1000 - rng.integers(0, 20_000, rows)),
        "src": tokens[0],
        "dst": tokens[1],
        "amount_minor": pa.array(rng.integers(1, 10_000, rows)),
        "purpose": pa.array(np.zeros(rows, np.int8)),
    }
    for field in SCHEMA:
        if field.name not in columns:
            texts = pa.array(["CNY" if field.name == "currency" else ""] * rows)
            columns[field.name] = (
                texts.cast(field.type)
                if field.type == pa.string()
                else (texts.dictionary_encode().cast(field.type))
            )
    ordered = [columns[field.name] for field in SCHEMA]
    return TransferBatch(BatchId("bank", str(first), 0), pa.RecordBatch.from_arrays(ordered, schema=SCHEMA))
