"""Random streams. Each process and day draws from its own, so that adding one shifts no other."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """The generator that belongs to `name` in world `seed`, at its beginning."""
    digest = blake2b("\x1f".join(map(str, (seed, *name))).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def money(rng: np.random.Generator, median: float, sigma: float, n: int, step: int = 1) -> Ints:
    """`n` log-normal amounts in minor units, rounded up to multiples of `step`."""
    drawn = rng.lognormal(np.log(median), sigma, n)
    return (np.ceil(drawn / step) * step).astype(np.int64)


def shares(rng: np.random.Generator, total: int, parts: int, step: int = 1) -> Ints:
    """`total` cut into `parts` uneven positive amounts, exactly; all but the last multiples of `step`."""
    weights = rng.dirichlet(np.full(parts, 8.0))
    cut = (weights * total / step).astype(np.int64) * step
    cut[-1] += total - cut.sum()
    return cut


def pro_rata(total: int, holdings: Ints) -> Ints:
    """`total` split in proportion to `holdings`, exactly; the remainder goes to the largest holding."""
    whole = int(holdings.sum())
    part = np.array([total * int(h) // whole for h in holdings], dtype=np.int64)
    part[int(holdings.argmax())] += total - int(part.sum())
    return part
