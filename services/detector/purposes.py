"""Purpose codes as columns have them: made safe, and told apart all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from compiled import Bools
from schemas.batch import TransferBatch
from schemas.transaction import Purpose

_COUNT: Final = len(Purpose)


def among(purposes: Iterable[Purpose]) -> Bools:
    """By code, whether it is one of `purposes`: to be indexed with a column of codes."""
    return np.isin(np.arange(_COUNT), [int(one) for one in purposes])


def bits_of(purposes: Iterable[Purpose]) -> int:
    """As bits, by code: for kernels."""
    return sum(1 << int(one) for one in purposes)


def with_known_purposes(batch: TransferBatch) -> tuple[TransferBatch, int]:
    """The batch with every code that is no Purpose made Purpose.unknown, and how many there were: a
    newer producer may send one that is not known here."""
    codes = batch.purposes()
    unsigned = codes.view(np.uint8)  # those below 0 are large, too
    if unsigned.max(initial=0) < _COUNT:
        return batch, 0
    strange = unsigned >= _COUNT
    known = pa.array(np.where(strange, np.int8(Purpose.unknown), codes), pa.int8())
    place = batch.columns.schema.get_field_index("purpose")
    columns = batch.columns.set_column(place, batch.columns.schema.field(place), known)
    return replace(batch, columns=columns), int(np.count_nonzero(strange))
