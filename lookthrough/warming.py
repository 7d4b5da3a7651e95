"""Compiled code made ready before it is needed: the engine detects in a tiny world."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from compiled import CACHE_FOLDER
from lookthrough.detect import detect
from schemas.law import load_law
from services.detector.engine import Engine
from simulator.dataset import write
from simulator.world import simulate

_WARMED: Final = Path(CACHE_FOLDER) / "warmed"
"""There once all kernels of this state of the sources are in the cache."""
_DAYS: Final = 5
"""Of the tiny world: enough for nearly all of them."""
_DAYS_FOR_ALL: Final = 18
"""Until a stranger has been seen often enough to be asked about."""


def warm(echo: Callable[[str], None]) -> None:
    """Load the kernels that engine and typologies use, after warm_if_changed(): some seconds. Blocks."""
    warm_if_changed(echo)
    _detect(_DAYS)


def warm_if_changed(echo: Callable[[str], None]) -> None:
    """Compile the kernels, unless all are compiled: some minutes, of which it tells before. Blocks."""
    if _WARMED.exists():
        return
    echo("Compiling the detector's kernels, once after each change of them: a few minutes ...")
    _detect(_DAYS_FOR_ALL)
    with suppress(OSError):  # a cache that cannot be written to compiles anew each time
        _WARMED.touch()


def _detect(days: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(simulate(7, days), folder)
        detect(
            [folder / "transactions.csv"], folder / "registry", folder / "alerts.jsonl", Engine(load_law())
        )
