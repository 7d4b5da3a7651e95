"""How transfers were sent, as the feed says: the column `channel`."""

from __future__ import annotations

import numpy as np

from compiled import Bools
from services.detector.typology import Step

CASH = "cash"
CROSS_BORDER = "cross_border"


def sent_by(step: Step, channel: str) -> Bools:
    """The rows that were sent over `channel`."""
    column = step.batch.columns.column("channel")
    channels = column.dictionary.to_pylist()
    if channel not in channels:
        return np.zeros(len(column), np.bool_)
    rows: Bools = column.indices.to_numpy() == channels.index(channel)
    return rows
