"""Compiled code made ready before it is needed: the engine detects in a tiny world."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from lookthrough.detect import detect
from schemas.law import load_law
from services.detector.engine import Engine
from simulator.dataset import write
from simulator.world import simulate


def warm() -> None:
    """Load the kernels that the engine and its typologies use, compiling those that are in no cache: some
    seconds, or some minutes the first time. Blocks."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(simulate(7, 5), folder)
        detect(
            [folder / "transactions.csv"], folder / "registry", folder / "alerts.jsonl", Engine(load_law())
        )
