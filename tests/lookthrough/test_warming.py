"""What a person is told who waits for kernels to be compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookthrough import warming


def test_who_waits_for_the_compiler_is_told_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warming, "_WARMED", tmp_path / "warmed")
    said: list[str] = []
    warming.warm_if_changed(said.append)
    assert [line.split(",")[0] for line in said] == ["Compiling the detector's kernels"]
    warming.warm_if_changed(said.append)
    warming.warm(said.append)
    assert len(said) == 1


def test_a_cache_that_cannot_be_written_to_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(warming, "_WARMED", tmp_path / "nowhere" / "warmed")
    warming.warm(lambda _: None)
    assert not (tmp_path / "nowhere").exists()
