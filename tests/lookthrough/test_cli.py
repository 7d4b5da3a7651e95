"""The command line: what a person types, and what it says when something is wrong."""

import json

import pytest
from click.testing import CliRunner

from lookthrough.cli import main


@pytest.fixture
def invoke():
    def invoke(*words):
        return CliRunner().invoke(main, [str(word) for word in words])

    return invoke


def commands(group=main, path=()):
    for name, command in group.commands.items():
        yield (*path, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_explains_itself(invoke, words):
    shown = invoke(*words, "--help")
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage:")


@pytest.mark.parametrize("name", ["run", "simulate", "detect", "ingest", "register", "resend"])
def test_what_people_type_has_an_example(invoke, name):
    shown = invoke(name, "--help").output
    assert "Example" in shown
    assert f"lookthrough {name}" in shown


def test_simulate_then_detect(invoke, tmp_path):
    world, out = tmp_path / "world", tmp_path / "alerts.jsonl"
    simulated = invoke("simulate", "--seed", 7, "--days", 3, "--out", world)
    assert simulated.exit_code == 0, simulated.output
    found = invoke(
        "detect", "--transactions", world / "transactions.csv", "--registry", world / "registry", "--out", out
    )
    assert found.exit_code == 0, found.output
    alerts = [json.loads(line) for line in out.read_text().splitlines()]
    assert f"{len(alerts)} alerts" in found.output
    assert alerts


def test_detect_without_a_registry_says_so(invoke, tmp_path):
    file = tmp_path / "day.csv"
    file.write_text("tx_id,ts,src,dst,amount,currency\nT1,2023-01-01,a,b,1.00,CNY\n")
    found = invoke("detect", "--transactions", file, "--out", tmp_path / "alerts.jsonl")
    assert found.exit_code == 0
    assert "No registry was given" in found.output


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "--seed", 1, "--days", 0, "--out", "x"),
        ("detect", "--out", "x"),
        ("ingest", "--feed", "bank_a"),
        ("prepare", "--partitions", 0),
    ],
)
def test_a_wrong_call_says_what_is_wrong(invoke, words):
    answer = invoke(*words)
    assert answer.exit_code == 2
    assert "Error:" in answer.output


def test_a_service_that_does_not_run_is_one_line_and_a_hint(invoke, tmp_path):
    file = tmp_path / "day.csv"
    file.write_text("tx_id\n")
    answer = invoke("ingest", file, "--feed", "bank_a", "--url", "http://127.0.0.1:9")
    assert answer.exit_code == 1
    assert "make run" in answer.output
    assert "Traceback" not in answer.output


def test_a_setting_that_is_missing_is_named(invoke, monkeypatch):
    monkeypatch.delenv("LOOKTHROUGH_STORE_URL", raising=False)
    answer = invoke("prepare")
    assert answer.exit_code == 1
    assert "LOOKTHROUGH_STORE_URL" in answer.output
