"""Kernels check no index, and a wrong one damages other memory in silence: here they check each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from compiled import CACHE_FOLDER

LOOKTHROUGH = [sys.executable, "-c", "from lookthrough.cli import main; main()"]


def run(*arguments: object, **environment: str) -> None:
    done = subprocess.run(
        [*LOOKTHROUGH, *map(str, arguments)], env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bounds")
    run("simulate", "--seed", 3, "--days", 30, "--out", folder)
    return folder


@pytest.mark.parametrize("is_registered", [True, False])
def test_every_index_is_within_its_array(simulated: Path, is_registered: bool) -> None:
    """And what is found is the same."""
    registry = ("--registry", simulated / "registry") if is_registered else ()
    asked = ("detect", "--transactions", simulated / "transactions.csv", *registry, "--out")
    checked, unchecked = simulated / "checked.jsonl", simulated / "unchecked.jsonl"
    run(*asked, checked, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=f"{CACHE_FOLDER}-checked")
    run(*asked, unchecked)
    assert checked.read_bytes() == unchecked.read_bytes() != b""
