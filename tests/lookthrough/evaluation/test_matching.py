"""Which pattern an alert is about: enough of it, named, and never by showing everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lookthrough.evaluation.labelled import LabelledSet, Pattern
from lookthrough.evaluation.matching import Outcome, judge
from schemas import examples
from schemas.alert import Alert
from schemas.instant import DAY

MAIN = "a" * 32


def pattern(name: str, transfers: set[str], **changes: Any) -> Pattern:
    fields = {
        "pattern_id": name,
        "typology": "pooling",
        "variant": "plain",
        "care": "clumsy",
        "also": frozenset(),
        "illicit": True,
        "complete": True,
        "ignored": False,
        "first_us": 10 * DAY,
        "last_us": 20 * DAY,
        "detectable_us": 15 * DAY,
        "amount": 1.0,
        "main_account": MAIN,
        "transfers": frozenset(transfers),
    }
    return Pattern(**(fields | changes))


def labelled(*patterns: Pattern) -> LabelledSet:
    transfers = {transfer for one in patterns for transfer in one.transfers}
    return LabelledSet(
        Path("set"),
        patterns,
        {name: tuple(one for one in patterns if name in one.transfers) for name in transfers},
        {MAIN: tuple(one for one in patterns if one.main_account == MAIN)},
    )


def alert(shown: list[str], accounts: tuple[str, ...] = (), **changes: Any) -> Alert:
    example = examples.valid("alert")[0]
    edge = example["evidence"]["edges"][0]
    edges = [{**edge, "tx_id": name} for name in shown]
    fields = {
        "typology": "pooling",
        "accounts": accounts,
        "evidence": {"nodes": example["evidence"]["nodes"], "edges": edges},
    }
    return Alert.model_validate(example | fields | changes)


CASE = {f"t{number}" for number in range(10)}


@pytest.mark.parametrize(
    ("shown", "accounts", "outcome"),
    [
        (["t0", "x0"], (), Outcome.right),
        (["t0", "x0", "x1"], (), Outcome.nothing),
        (["t0", "x0", "x1"], (MAIN,), Outcome.right),
        (["t0", *(f"x{n}" for n in range(10))], (MAIN,), Outcome.nothing),
        ([*(f"t{n}" for n in range(5)), *(f"x{n}" for n in range(45))], (), Outcome.right),
        ([*(f"t{n}" for n in range(5)), *(f"x{n}" for n in range(46))], (), Outcome.nothing),
        ([*CASE, *(f"x{n}" for n in range(1000))], (MAIN,), Outcome.nothing),
    ],
    ids=[
        "half of it",
        "a third",
        "a third, named",
        "named, next to nothing of it",
        "half the case in a tenth",
        "half the case in less",
        "everything",
    ],
)
def test_what_an_alert_is_about(shown: list[str], accounts: tuple[str, ...], outcome: Outcome) -> None:
    assert judge(alert(shown, accounts), labelled(pattern("k", CASE))).outcome is outcome


def test_it_is_right_under_another_name_that_the_conduct_has() -> None:
    also = labelled(pattern("k", CASE, typology="commingling", also=frozenset({"pooling"})))
    assert judge(alert(["t0"]), also).outcome is Outcome.right
    other = labelled(pattern("k", CASE, typology="commingling"))
    assert judge(alert(["t0"]), other).outcome is Outcome.misnamed


def test_a_look_alike_counts_only_where_no_misconduct_does() -> None:
    honest = pattern("h", CASE | {"x0"}, typology="shop", illicit=False)
    assert judge(alert(["t0"]), labelled(honest)).outcome is Outcome.look_alike
    assert judge(alert(["t0"]), labelled(honest, pattern("k", CASE))).outcome is Outcome.right
    guessed = pattern("k", CASE, ignored=True)
    assert judge(alert(["t0"]), labelled(guessed)).outcome is Outcome.ignored


@pytest.mark.parametrize(("day", "outcome"), [(9, "nothing"), (10, "right"), (51, "right"), (52, "nothing")])
def test_balances_alone_prove_it_while_the_case_goes_on(day: int, outcome: str) -> None:
    raised = alert([], (MAIN,), episode_at=day * DAY)
    assert judge(raised, labelled(pattern("k", CASE))).outcome == outcome
    assert judge(alert([], episode_at=15 * DAY), labelled(pattern("k", CASE))).outcome is Outcome.nothing


def test_patterns_equally_near_are_told_in_the_order_of_what_is_shown() -> None:
    one, other = pattern("one", {"t8", "t2"}), pattern("other", {"t1", "t9"})
    shown = ["t9", "t8", "t2", "t1"]
    assert judge(alert(shown), labelled(one, other)).patterns == (other, one)
    assert judge(alert(shown[::-1]), labelled(one, other)).patterns == (other, one)
    assert judge(alert(shown[1:3] + shown[::3]), labelled(one, other)).patterns == (one, other)
