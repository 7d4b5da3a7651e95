"""The engine as a function of its log: splits, repeats, replays, registry changes, timers."""

from __future__ import annotations

import pickle
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.batch import TransferBatch
from schemas.instant import DAY, HOUR, to_micros
from schemas.law import load_law
from schemas.registry import REGISTRY_RECORD
from schemas.transaction import Purpose
from services.detector.engine import Engine
from services.detector.typologies.ponzi import Ponzi
from services.detector.typologies.pooling import Pooling
from services.detector.typologies.stack import Stack
from services.detector.typology import Typology

_READ = [
    (file.stem, content["base"], case)
    for file in sorted((Path(__file__).parent / "typologies" / "cases").glob("*.toml"))
    for content in [tomllib.loads(file.read_text(encoding="utf-8"))]
    for case in content["case"]
]
FILES = [typology for typology, _, _ in _READ]
CASES = [(base, case) for _, base, case in _READ]
LISTS = ("institutions", "parties", "relations", "accounts", "products", "filings")
FIRING = [place for place, (_, case) in enumerate(CASES) if case["fires"]]


def merged(world: Any, chosen: list[tuple[int, float]], noise: list[list[Any]]) -> Any:
    """Several cases in one world, each shifted by some days; where registries differ, all of it holds."""
    lists: dict[str, list[Any]] = {name: [] for name in LISTS}
    flows: list[list[Any]] = list(noise)
    balances: list[list[Any]] = []
    for place, shift in chosen:
        base, case = CASES[place]
        for name in LISTS:
            lists[name] += [
                one for one in (*base.get(name, []), *case.get(name, [])) if one not in lists[name]
            ]
        flows += [[flow[0] + shift, *flow[1:]] for flow in case["flows"]]
        balances += [_shifted(stated, shift) for stated in case.get("balances", [])]
    return world(flows=flows, balances=balances, **lists)


def _shifted(stated: list[Any], shift: float) -> list[Any]:
    day, account, kind, amount, *more = stated
    extra = {"sent": more[0]["sent"] + shift} if more and "sent" in more[0] else {}
    return [day + shift, account, kind, amount, extra]


cases = st.lists(st.tuples(st.sampled_from(FIRING), st.integers(0, 40)), min_size=1, max_size=4)
accounts = st.sampled_from(["own", "custody", "reserve", "shop", "b", "m1", "c1", "n1", "x", "outside"])
noise = st.lists(
    st.tuples(st.integers(0, 45), accounts, accounts, st.integers(1, 9_000), st.sampled_from(Purpose)).map(
        lambda row: [*row[:4], row[4].name]
    ),
    max_size=30,
)
delays = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([0.1, 0.5, 0.9, 1, 2, 20, 29, 30, 31, -0.5, -5, -30])),
    max_size=6,
)
"""Of which flow, and by how many days it is reported late; early, where it is negative."""
stretches = st.sampled_from([1, 2, 5, 10, 14, 14.8, 29, 29.9])
"""By how much longer everything takes: windows end within cases."""
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reported(flows: list[list[Any]], late: list[tuple[int, float]], stretch: float) -> list[list[Any]]:
    """`flows`, slower, and some of them out of order."""
    slower = [[flow[0] * stretch, *flow[1:4], *(flow[4:] or ["unknown"])] for flow in flows]
    for place, days in late:
        day, *rest = slower[place % len(slower)]
        extra = {**(rest[4] if len(rest) > 4 else {}), "sent": day + days}
        slower[place % len(slower)] = [day, *rest[:4], extra]
    return slower


@quick
@given(cases, noise, delays, stretches, st.lists(st.integers(0, 200), max_size=8))
def test_any_split_into_batches_gives_the_same_bytes(
    world: Any, play: Any, chosen: Any, noise: Any, late: Any, stretch: float, cuts: list[int]
) -> None:
    one = merged(world, chosen, noise)
    one = replace(one, flows=reported(one.flows, late, stretch))
    assert play(one, cuts).bytes() == play(one).bytes()


@quick
@given(
    *(cases, noise, delays, st.lists(st.integers(0, 200), max_size=6)),
    st.tuples(st.integers(5, 80), st.integers(3, 60)),
)
def test_at_the_stated_maximum_too_any_split_gives_the_same_bytes(
    world: Any, play: Any, chosen: Any, noise: Any, late: Any, cuts: list[int], most: tuple[int, int]
) -> None:
    one = merged(world, chosen, noise)
    one = replace(one, flows=reported(one.flows, late, 1))
    assert play(one, cuts, most=most).bytes() == play(one, most=most).bytes()


@pytest.mark.parametrize("place", [one for one in FIRING if FILES[one] == "disguised_clearing"])
def test_what_the_window_has_dropped_is_answered_by_nothing(world: Any, play: Any, place: int) -> None:
    """However few transfers are held: the ledger of payments in waits longer than they do."""
    one = merged(world, [(place, 0)], [])
    for transfers in range(1, 12):
        most = (transfers, 100)
        assert play(one, [1, 4, 9], most=most).bytes() == play(one, most=most).bytes()


def placed(case_id: str) -> int:
    """Where the first case of that name is."""
    return next(place for place, (_, case) in enumerate(CASES) if case["id"] == case_id)


def test_an_account_is_not_known_before_the_row_that_names_it(world: Any, play: Any) -> None:
    """Else a reserve account without a statement would lower the confidence of what was found before."""
    place = placed("the second account has no statement at all")
    one = merged(world, [(place, 0)], [[0.5, "tick", "tock", 1]])
    one = replace(one, flows=reported(one.flows, [], 5))
    assert play(one, [1]).bytes() == play(one).bytes() != b""


def test_a_suspect_named_again_within_a_batch_is_remembered_as_long(world: Any, play: Any) -> None:
    place = placed("memory: half a year after the alert")
    one = merged(world, [(place, 0), (place, 2)], [])
    assert play(one, [7]).bytes() == play(one).bytes() != b""


@quick
@given(
    cases, noise, delays, st.dictionaries(st.integers(0, 200), st.sampled_from(["feed", "other"]), max_size=8)
)
def test_batches_of_several_feeds_given_at_once_give_the_same_bytes(
    world: Any, batches: Any, chosen: Any, noise: Any, late: Any, cuts: dict[int, str]
) -> None:
    one = merged(world, chosen, noise)
    one = replace(one, flows=reported(one.flows, late, 1))
    rows, places = one.rows(), sorted({0, *cuts})
    parts = [
        batches(rows[first:last], str(first), cuts.get(first, "a"))
        for first, last in pairwise([*places, max(len(rows), places[-1])])
    ]
    singly, jointly = Engine(load_law()), Engine(load_law())
    for engine in (singly, jointly):
        engine.apply_registry(one.records())
    assert told(jointly, [parts]) == told(singly, [[part] for part in parts])
    assert jointly.feeds() == singly.feeds()


def told(engine: Engine, calls: Iterable[Sequence[TransferBatch]]) -> tuple[list[str], list[str]]:
    """Alerts and scores, in order."""
    outputs = [engine.apply_transfers(*parts) for parts in calls]
    return (
        [alert.model_dump_json() for each in outputs for alert in each.alerts],
        [score.model_dump_json() for each in outputs for score in each.scores],
    )


def test_a_batch_taken_before_is_dropped_from_among_others(world: Any, batches: Any) -> None:
    rows = world(flows=[[day / 10, "a", "b", 100 + day] for day in range(30)]).rows()
    parts = [batches(rows[first : first + 10], str(first)) for first in range(0, 30, 10)]
    engine = Engine(load_law())
    engine.apply_transfers(parts[0])
    engine.apply_transfers(parts[0], parts[1], parts[1], parts[2])
    assert (engine.counters().transfers, engine.counters().repeated_batches) == (30, 2)


def test_row_by_row_gives_the_same_bytes(world: Any, play: Any) -> None:
    one = merged(world, [(place, shift) for shift, place in enumerate(FIRING[::5])], [])
    whole = play(one)
    assert len(whole.alerts) > 3
    assert play(one, range(len(one.rows()))).bytes() == whole.bytes()


def test_replay_gives_the_same_bytes(world: Any, play: Any) -> None:
    one = merged(world, [(place, 0) for place in FIRING[:12]], [])
    assert play(one).bytes() == play(one).bytes() != b""


def test_a_repeated_batch_and_repeated_transfers_change_nothing(world: Any, play: Any) -> None:
    one = merged(world, [(FIRING[0], 0)], [])
    done, rows = play(one), one.rows()
    before = done.bytes()
    done.feed(rows, "0")
    assert done.engine.counters().repeated_batches == 1
    done.feed(rows, "another")
    assert done.engine.counters().duplicates == len(rows)
    assert done.bytes() == before


def test_the_other_feeds_batch_of_the_same_name_is_another(world: Any, batches: Any) -> None:
    rows = world(flows=[[1, "a", "b", 1]]).rows()
    engine = Engine(load_law(), max_transfers=1000, max_accounts=1000)
    for feed in ("one", "two"):
        engine.apply_transfers(batches(rows, "same", feed))
    assert engine.counters().transfers == 2
    assert [state.feed_id for state in engine.feeds()] == ["one", "two"]


def test_it_goes_on_after_pickling(world: Any, play: Any) -> None:
    one = merged(world, [(FIRING[0], 0), (FIRING[-1], 3)], [])
    rows, whole = one.rows(), play(one)
    for cut in (1, 15, len(rows) - 1):
        first = play(world(**{name: getattr(one, name) for name in LISTS}))
        first.feed(rows[:cut], "first")
        first.engine = pickle.loads(pickle.dumps(first.engine))
        first.feed(rows[cut:], "second")
        assert first.bytes() == whole.bytes()


def test_a_timer_fires_before_the_row_whose_clock_passed_it(world: Any, play: Any) -> None:
    """The payment that empties the pool comes an hour after money had lain there for too long."""
    flows = [[1, "c1..20", "own", 10000, "invest"], [3 + 1 / 24, "own", "r1", 200000, "transfer"]]
    done = play(_platform(world, flows), typologies=[Pooling])
    assert [alert.detected_at for alert in done.alerts] == [
        to_micros("2021-06-02T00:00:00+08:00") + 2 * DAY + 1
    ]
    microsecond = DAY**-1
    at_once = [*flows[:1], [3 + microsecond, *flows[1][1:]]]
    assert len(play(_platform(world, at_once), typologies=[Pooling]).alerts) == 1
    emptied = [[1, "c1..20", "own", 10000, "invest"], [3 - 1 / 24, "own", "r1", 200000, "transfer"]]
    assert not play(_platform(world, emptied), typologies=[Pooling]).alerts


@pytest.mark.parametrize("typology", [Ponzi, Stack])
def test_what_changes_from_row_to_row_is_not_read_unless_it_is_shared(
    world: Any, play: Any, typology: type[Typology]
) -> None:
    alone = type("Alone", (typology,), {"shares": None})
    firing = [place for place in FIRING if FILES[place] == typology.id]
    one = merged(world, [(firing[0], 0)], [])
    assert play(one, typologies=[typology]).alerts
    with pytest.raises(TypeError, match=str(typology.shares)):
        play(one, typologies=[alone])


def test_a_registry_change_takes_effect_by_event_time(world: Any, play: Any, token_of: Any) -> None:
    """The account is the registered custody account until day 10."""
    one = _platform(world, [[1, "c1..20", "pot", 10000, "invest"], [8, "tick", "tock", 1]])
    role = {"account_id": token_of("pot"), "party_id": "firm", "bank": "bank", "institution_id": "p2p-1"}
    ends = to_micros(one.start) + 10 * DAY
    records = [
        {"kind": "account", "role": "custody", "valid_to": ends, **role},
        {"kind": "account", "role": "own", "valid_from": ends, **role},
    ]
    registry = [REGISTRY_RECORD.validate_python(record) for record in records]
    done = play(one, registry=registry, typologies=[Pooling])
    assert not done.alerts
    later = world(start=one.start, flows=[[12, "c1", "pot", 1, "invest"], [13, "tick", "tock", 1]])
    done.feed([row | {"tx_id": f"later {row['tx_id']}"} for row in later.rows()], "later")
    assert len(done.alerts) == 1


def test_an_account_registered_after_it_was_seen_is_marked(world: Any, play: Any) -> None:
    done = play(world(flows=[[0, "u1", "store", 10, "top_up", {"instruction": "i"}]]))
    one = world(
        institutions=[["pay-1", "payment", "firm"]],
        accounts=[["store", "firm", "reserve", "pay-1"]],
        flows=[[1, "store", "stranger", 10, "withdraw"]],
    )
    done.engine.apply_registry(one.records())
    done.feed([row | {"tx_id": "second"} for row in one.rows()], "second")
    assert [alert.typology for alert in done.alerts] == ["reserve_misuse"]


def test_a_relation_learnt_later_counts_from_the_next_row(world: Any, play: Any) -> None:
    flows = [[1, "custody", "b", 1000, "disburse", {"product": "x"}], [2, "b", "shell", 1000]]
    one = _platform(world, flows)
    done = play(one)
    assert not done.alerts
    done.engine.apply_registry(world(relations=[["firm", "hidden", "controller"]]).records())
    done.feed([row | {"tx_id": "again"} for row in world(flows=[[3, "b", "shell", 1000]]).rows()], "again")
    assert [alert.typology for alert in done.alerts] == ["self_lending"]


def test_feeds_tell_silence_from_quiet(world: Any, batches: Any) -> None:
    engine = Engine(load_law(), max_transfers=1000, max_accounts=1000)
    rows = world(flows=[[0, "a", "b", 1], [1, "a", "b", 1], [4, "a", "b", 1]]).rows()
    engine.apply_transfers(batches(rows[:1], "1", "stopped"))
    engine.apply_transfers(batches(rows[1:], "2", "going"))
    going, stopped = engine.feeds()
    assert (going.silent, stopped.silent) == (False, True)
    assert going.watermark_us == rows[-1]["ts_us"] - DAY
    assert (going.late, stopped.late) == (0, 0)
    engine.apply_transfers(batches([rows[0] | {"tx_id": "late"}], "3", "going"))
    assert engine.feeds()[0].late == 1


def test_the_counters_add_up(world: Any, play: Any) -> None:
    done = play(_platform(world, [[1, "c1..20", "own", 10000, "invest"], [3.5, "tick", "tock", 1]]))
    counters = done.engine.counters()
    assert counters.transfers == 21
    assert counters.typologies["pooling"].confirmations == 1
    assert counters.typologies["pooling"].rechecks >= 1
    assert counters.typologies["self_lending"].confirmations == 0
    assert done.engine.clock_us == to_micros("2021-06-01T00:00:00+08:00") + 84 * HOUR


def test_what_the_empty_batch_does(world: Any, batches: Any) -> None:
    engine = Engine(load_law(), max_transfers=1000, max_accounts=1000)
    assert engine.apply_transfers(batches([], "0")).alerts == ()
    assert engine.clock_us is None


@pytest.mark.parametrize("code", [19, 127, -1, -128])
def test_a_purpose_that_is_not_known_here_counts_as_unstated(
    one_pool: Any, world: Any, play: Any, code: int
) -> None:
    unstated = world(**{name: getattr(one_pool, name) for name in LISTS}, flows=one_pool.flows)
    unstated.flows = [[*flow[:4], "unknown"] for flow in one_pool.flows]
    expected = play(unstated)
    done = play(world(**{name: getattr(one_pool, name) for name in LISTS}))
    done.feed([row | {"purpose": code} for row in unstated.rows()], "0")
    assert done.bytes() == expected.bytes() != b""
    assert done.engine.counters().unknown_purposes == len(unstated.rows())


@pytest.fixture
def one_pool(world: Any) -> Any:
    return _platform(world, [[1, "c1..20", "own", 10000, "invest"], [9, "tick", "tock", 1]])


def test_an_alert_proves_itself(one_pool: Any, play: Any) -> None:
    alert = play(one_pool, typologies=[Pooling]).alerts[0]
    assert alert.first_at == min(edge.ts for edge in alert.evidence.edges)
    assert sum(edge.attributed_minor for edge in alert.evidence.edges) == alert.amount_minor
    accounts = {node.account for node in alert.evidence.nodes}
    assert {end for edge in alert.evidence.edges for end in (edge.src, edge.dst)} == accounts
    assert set(alert.accounts) <= accounts
    assert alert.rule_version.startswith("pooling@")
    assert all(load_law().article(one.document, one.article) for one in alert.law)


def _platform(world: Any, flows: list[list[Any]]) -> Any:
    return world(
        institutions=[["p2p-1", "p2p", "firm"]],
        accounts=[
            ["c1..30", "=", "client", "p2p-1"],
            ["own", "firm", "own", "p2p-1"],
            ["custody", "firm", "custody", "p2p-1"],
            ["shell", "hidden", "external"],
        ],
        products=[["x", "p2p-1", "maker"]],
        flows=flows,
    )
