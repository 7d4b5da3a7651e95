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
    """Load the kernels that the engine and its typologies use, compiling those that are in no cache: some
    seconds, or some minutes the first time, of which it tells before. Blocks."""
    are_compiled = _WARMED.exists()
    if not are_compiled:
        echo("Compiling the detector's kernels, once after each change of them: a few minutes ...")
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(simulate(7, _DAYS if are_compiled else _DAYS_FOR_ALL), folder)
        detect(
            [folder / "transactions.csv"], folder / "registry", folder / "alerts.jsonl", Engine(load_law())
        )
    with suppress(OSError):  # a cache that cannot be written to compiles anew each time
        _WARMED.touch()


def warm_if_changed(echo: Callable[[str], None]) -> None:
    """As warm(), unless all is compiled: what is in the cache is loaded where it is first used."""
    if not _WARMED.exists():
        warm(echo)
