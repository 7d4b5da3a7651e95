"""One alert for one suspicion that goes on."""

from __future__ import annotations

from typing import Any

from schemas.alert import Alert


def reserve(world: Any, play: Any, *flows: tuple[float, str, int]) -> list[Alert]:
    one = world(
        institutions=[["pay-1", "payment", "firm"]],
        accounts=[
            ["reserve", "firm", "reserve", "pay-1"],
            ["second", "firm", "reserve", "pay-1"],
            ["own", "firm", "own", "pay-1"],
        ],
        flows=[[day, src, "own", amount, "transfer"] for day, src, amount in flows],
    )
    done: list[Alert] = play(one).alerts
    return done


def test_growth_by_a_tenth_raises_the_version(world: Any, play: Any) -> None:
    alerts = reserve(world, play, (1, "reserve", 1000), (2, "reserve", 99), (3, "reserve", 1))
    assert [(alert.version, alert.amount_minor) for alert in alerts] == [(1, 100_000), (2, 110_000)]
    assert len({(alert.alert_id, alert.episode_at) for alert in alerts}) == 1


def test_a_little_more_is_no_new_version(world: Any, play: Any) -> None:
    alerts = reserve(world, play, (1, "reserve", 1000), (1.1, "reserve", 500), (2, "reserve", 100))
    assert [alert.version for alert in alerts] == [1, 2]


def test_subjects_are_apart(world: Any, play: Any) -> None:
    alerts = reserve(world, play, (1, "reserve", 1000), (1, "second", 1000))
    assert [alert.version for alert in alerts] == [1, 1]
    assert len({alert.alert_id for alert in alerts}) == 2


def test_after_a_quiet_month_it_is_a_new_episode(world: Any, play: Any) -> None:
    still = reserve(world, play, (1, "reserve", 1000), (31, "reserve", 2000))
    assert [alert.version for alert in still] == [1, 2]
    over = reserve(world, play, (1, "reserve", 1000), (31.01, "reserve", 1000))
    assert [alert.version for alert in over] == [1, 1]
    assert len({alert.alert_id for alert in over}) == 2


def test_evidence_is_bounded_and_says_so(world: Any, play: Any) -> None:
    flows = [(1 + number / 10_000, "reserve", 10 + number) for number in range(620)]
    last = reserve(world, play, *flows)[-1]
    assert len(last.evidence.edges) == 500
    assert [(limit.name, limit.bound) for limit in last.limits] == [("violations", 500)]


def test_many_payers_cut_the_evidence(world: Any, play: Any) -> None:
    one = world(flows=[[1, "c1..600", "pot", 10], [1.1, "c1", "pot", 900], [9, "tick", "tock", 1]])
    last = play(one).alerts[-1]
    assert len(last.evidence.edges) == 500
    assert [(limit.name, limit.bound) for limit in last.limits] == [("evidence_edges", 500)]
    assert max(edge.attributed_minor for edge in last.evidence.edges) == 90_000
