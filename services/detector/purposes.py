"""Purpose codes of a batch, made safe: a newer producer may send one that is not known here."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from schemas.batch import TransferBatch
from schemas.transaction import Purpose

_COUNT: Final = len(Purpose)


def with_known_purposes(batch: TransferBatch) -> tuple[TransferBatch, int]:
    """The batch with every code that is no Purpose made Purpose.unknown, and how many there were."""
    codes = batch.purposes()
    strange = (codes < 0) | (codes >= _COUNT)
    count = int(np.count_nonzero(strange))
    if count == 0:
        return batch, 0
    known = pa.array(np.where(strange, np.int8(Purpose.unknown), codes), pa.int8())
    place = batch.columns.schema.get_field_index("purpose")
    return TransferBatch(
        batch.id, batch.columns.set_column(place, batch.columns.schema.field(place), known)
    ), count
