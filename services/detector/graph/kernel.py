"""How the graph's hot loops are compiled: one typed door to numba, cached beside the source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

Array: TypeAlias = NDArray[Any]
"""An array of records or of unsigned integers."""
Record: TypeAlias = Any
"""One element of an array of records; a kernel reads and writes its fields in place."""
Int64s: TypeAlias = NDArray[np.int64]
Int32s: TypeAlias = NDArray[np.int32]
Int16s: TypeAlias = NDArray[np.int16]
Int8s: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]

signed = cast(type[int], np.int64)
"""np.int64, which kernels use where the type checker expects an int."""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` to machine code at its first call; it runs without the interpreter lock.

    Types are the caller's arguments'. A kernel raises nothing and allocates little: what can go
    wrong is checked before it is called.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast(Callable[P, R], compiled)


LINE_BYTES = 64


def aligned(length: int, dtype: np.dtype[Any]) -> Array:
    """Zeroed array that starts on a cache line, so that a 32 or 64 byte record never spans two.

    Memory that was never touched is not resident: reserving for the stated maximum costs nothing.
    """
    room = np.zeros(length * dtype.itemsize + LINE_BYTES, np.uint8)
    start = -room.ctypes.data % LINE_BYTES
    return room[start : start + length * dtype.itemsize].view(dtype)
