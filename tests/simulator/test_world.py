from dataclasses import replace
from itertools import chain, islice

import msgspec
import pytest

from schemas.errors import InvalidSetting
from schemas.instant import DAY, to_micros
from simulator.misconduct import TYPOLOGIES, scheduled
from simulator.misconduct.case import UPKEEP
from simulator.parameters import SIZES
from simulator.world import MAX_DAYS, simulate

DAYS = 6


def played(seed: int, days: int, take: int | None = None) -> bytes:
    """Transfers and labels of the first `take` days, as bytes."""
    world = simulate(seed, days)
    return b"".join(
        msgspec.json.encode([*day.transfers, *((tx_id, p.pattern_id) for tx_id, p in day.labels)])
        for day in islice(world.days(), take)
    )


def test_the_same_seed_gives_the_same_bytes():
    assert played(11, DAYS) == played(11, DAYS)


def test_another_seed_gives_another_world():
    assert played(11, 1) != played(12, 1)


def cases_of(days):
    return scheduled(11, SIZES["small"], simulate(11, 1).start_us, days)


def test_a_longer_world_begins_like_a_shorter_one_until_a_case_that_had_no_room_in_it():
    def parting(days):
        short, long = cases_of(days), cases_of(days + 1)
        assert long[: len(short)] == short
        return min((case.first for case in long[len(short) :]), default=days)

    days = max(range(8, 20), key=parting)
    assert parting(days) >= 6
    assert played(11, days + 1, take=parting(days)) == played(11, days, take=parting(days))


def test_cases_are_planted_only_where_they_can_come_to_their_end():
    for days in (1, 20, 45):
        assert all(case.end <= days for case in cases_of(days))


def test_a_quarter_holds_every_variant_and_each_comes_to_its_end():
    world = simulate(11, 92)
    finished = set().union(*(day.finished for day in world.days()))
    planted = {
        index for index, pattern in enumerate(world.patterns) if pattern.illicit and pattern.variant != UPKEEP
    }
    assert finished == planted
    names = {(world.patterns[index].type, world.patterns[index].variant) for index in planted}
    assert names >= {
        (typology, v.name) for typology, variants in TYPOLOGIES for v in variants if v.days <= 70
    }


@pytest.mark.parametrize(("typology", "variants"), TYPOLOGIES, ids=[name for name, _ in TYPOLOGIES])
def test_variants_go_from_clumsy_to_careful(typology, variants):
    assert len(variants) >= 3
    care = [["clumsy", "ordinary", "careful"].index(variant.care) for variant in variants]
    assert care == sorted(care)
    assert set(care) == {0, 1, 2}
    assert all(typology not in variant.also for variant in variants)


def test_a_world_can_be_played_again():
    world = simulate(11, 2)
    first, second = ([day.transfers for day in world.days()] for _ in range(2))
    assert first == second


def test_without_its_planted_cases_the_rest_of_the_world_lives_the_same_life():
    world = simulate(11, DAYS)
    honest = replace(world, cases=())

    def salaries(played):
        return [
            (t.ts, t.src, t.dst, t.amount)
            for day in played.days()
            for t in day.transfers
            if t.purpose == "salary"
        ]

    assert salaries(world) == salaries(honest)
    assert not any(day.finished for day in honest.days())


def test_the_registry_of_the_same_seed_is_the_same():
    assert simulate(11, 2).registry == simulate(11, 2).registry


def test_days_follow_each_other_in_time_order_with_consecutive_ids():
    world = simulate(11, 3)
    for number, day in enumerate(world.days()):
        times = [to_micros(transfer.ts) for transfer in day.transfers]
        assert times == sorted(times)
        assert world.start_us + number * DAY <= times[0]
        assert times[-1] < world.start_us + (number + 1) * DAY
    ids = [t.tx_id for t in chain.from_iterable(day.transfers for day in simulate(11, 3).days())]
    assert ids == [f"T{number:09d}" for number in range(1, len(ids) + 1)]


@pytest.mark.parametrize(
    ("days", "start"),
    [(0, None), (MAX_DAYS + 1, None), (1, "2019-01-21T00:00:00Z")],
    ids=["no day", "too long", "not midnight in Beijing"],
)
def test_settings_that_cannot_be_used_are_refused(days, start):
    with pytest.raises(InvalidSetting):
        simulate(1, days, start_us=start and to_micros(start))


def test_another_start_moves_the_calendar():
    world = simulate(3, 1, start_us=to_micros("2018-11-10T16:00:00Z"))
    day = next(world.days())
    assert day.transfers[0].ts.startswith("2018-11-10T16")
    quiet = next(simulate(3, 1, start_us=to_micros("2018-11-06T16:00:00Z")).days())
    bought = [sum(t.purpose == "purchase" for t in d.transfers) for d in (day, quiet)]
    assert bought[0] > 2.5 * bought[1]  # double eleven against a Wednesday


def test_a_small_month_has_as_many_transfers_as_stated():
    assert 100_000 <= sum(len(day.transfers) for day in simulate(5, 30).days()) <= 300_000


def test_sizes_differ_in_every_count_that_matters():
    small, large = SIZES["small"], SIZES["large"]
    assert large.persons >= 20 * small.persons
    assert large.platforms > small.platforms
