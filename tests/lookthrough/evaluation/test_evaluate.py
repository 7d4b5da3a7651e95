"""`lookthrough evaluate` on a simulated world and on a set that nobody here made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lookthrough.cli import main
from lookthrough.evaluation.labelled import read
from schemas.errors import InvalidInput
from simulator import dataset
from simulator.world import simulate

SHARED = Path(__file__).parents[4] / "shared" / "data" / "amlgentex_s0"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    dataset.write(simulate(7, 12), folder)
    return folder


def test_a_simulated_world(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["evaluate", "--data", str(world), "--out", str(out)])
    assert done.exit_code == 0, done.output
    figures = json.loads((out / "evaluation.json").read_text())
    by_id = {one["id"]: one for one in figures["typologies"]}
    assert by_id["pooling"]["recall"]["all"]["part"] >= 1
    assert by_id["pooling"]["name"]["zh"] == "资金池"
    planted = {one.typology for one in read(world).patterns if one.illicit}
    assert planted <= by_id.keys()
    page = (out / "evaluation.html").read_text()
    assert all(f'<h3 id="{name}">' in page for name in by_id)
    assert "pooling" in done.output
    alerts = (out / f"1-{world.name}.alerts.jsonl").read_text().splitlines()
    assert len(alerts) == figures["sets"][0]["alerts"]


def test_the_same_set_twice_is_the_same_figures(world: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        CliRunner().invoke(main, ["evaluate", "--data", str(world), "--out", str(tmp_path / name)])
    first, second = ((tmp_path / name / "evaluation.json").read_bytes() for name in ("one", "two"))
    assert first == second


@pytest.mark.parametrize("file", ["patterns.csv", "labels.csv", "transactions.csv"])
def test_what_is_no_labelled_set_is_named(world: Path, tmp_path: Path, file: str) -> None:
    folder = shutil.copytree(world, tmp_path / "set")
    (folder / file).unlink()
    done = CliRunner().invoke(main, ["evaluate", "--data", str(folder), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert f"{folder} holds no {file}" in done.output


def test_a_missing_column_is_named(world: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(world, tmp_path / "set")
    (folder / "labels.csv").write_text("tx_id\nT1\n")
    with pytest.raises(InvalidInput, match="no column pattern_id"):
        read(folder)


def test_the_public_set_is_read() -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data/amlgentex_s0 is not here: its labels were not read")
    labelled = read(SHARED)
    illicit = [one for one in labelled.patterns if one.illicit]
    assert len(illicit) == 70
    assert sum(one.is_found_as("round_tripping") for one in illicit) == 10
    assert sum(len(one.transfers) for one in illicit) == 884
