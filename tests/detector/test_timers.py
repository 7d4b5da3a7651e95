from __future__ import annotations

from services.detector.timers import NEVER_US, Timer, Timers


def drain(timers: Timers) -> list[Timer]:
    fired = []
    while timers.next_us < NEVER_US:
        fired.append(timers.pop())
    return fired


def test_they_fire_by_time_then_typology_then_account() -> None:
    timers = Timers()
    for timer in (Timer(5, 1, 2), Timer(5, 0, 3), Timer(4, 1, 9), Timer(5, 0, 1)):
        timers.set(timer)
    assert drain(timers) == [Timer(4, 1, 9), Timer(5, 0, 1), Timer(5, 0, 3), Timer(5, 1, 2)]
    assert len(timers) == 0


def test_one_an_account_the_earliest() -> None:
    timers = Timers()
    for due_us in (9, 4, 7):
        timers.set(Timer(due_us, 0, 1))
    assert drain(timers) == [Timer(4, 0, 1)]


def test_the_bound_is_counted() -> None:
    timers = Timers(max_timers=2)
    for account in range(4):
        timers.set(Timer(1, 0, account))
    timers.set(Timer(0, 0, 1))
    assert timers.refused == 2
    assert drain(timers) == [Timer(0, 0, 1), Timer(1, 0, 0)]
