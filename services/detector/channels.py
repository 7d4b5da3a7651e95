"""How transfers were sent, as the feed says: the column `channel`."""

from __future__ import annotations

import numpy as np

from compiled import Bools
from services.detector.typology import Step

CASH = "cash"
CROSS_BORDER = "cross_border"


def sent_by(step: Step, *channels: str) -> tuple[Bools, ...]:
    """For each of `channels`, the rows that were sent over it."""
    column = step.batch.columns.column("channel")
    known, codes = column.dictionary.to_pylist(), column.indices.to_numpy()
    return tuple(
        codes == known.index(one) if one in known else np.zeros(codes.size, np.bool_) for one in channels
    )
