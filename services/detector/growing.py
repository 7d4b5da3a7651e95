"""Arrays by number, of an account, a product, …, that grow as numbers come."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound="np.generic[Any]")


def with_room(kept: NDArray[S], size: int, fill: int = 0) -> NDArray[S]:
    """`kept`, if it is of that size; else twice as long, or of that size, what is new filled. Memory that is
    filled with 0 is not touched."""
    more = size - len(kept)
    if more <= 0:
        return kept
    new = np.zeros((max(more, len(kept)), *kept.shape[1:]), kept.dtype)
    if fill:
        new[:] = fill
    return np.concatenate((kept, new))
