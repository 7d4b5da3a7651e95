"""What holds at an instant: of the versions that do, the one that started last."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from registry.history import History
from schemas.instant import FOREVER, MIN_INSTANT
from schemas.registry import Party, PartyKind

_starts = st.integers(0, 29)
_ends = st.one_of(st.just(FOREVER), st.integers(1, 30))
_names = st.sampled_from("abc")


def _party(start: int, end: int, name: str) -> Party:
    return Party(party_id="p", party_kind=PartyKind.person, valid_from=start, valid_to=end, name=name)


_versions = st.lists(
    st.tuples(_starts, _ends, _names).filter(lambda made: made[0] < made[1]).map(lambda made: _party(*made)),
    max_size=8,
)


def naive(versions: list[Party], ts_us: int) -> Party | None:
    replaced = {version.valid_from: version for version in versions}
    holding = [version for version in replaced.values() if version.holds_at(ts_us)]
    return max(holding, key=lambda version: version.valid_from, default=None)


@given(_versions)
def test_the_holder_is_the_latest_started_of_those_that_hold(versions: list[Party]) -> None:
    history: History[Party] = History()
    for version in versions:
        history.put("p", version)
    for ts_us in range(32):
        assert history.at("p", ts_us) == naive(versions, ts_us)


@given(_versions)
def test_the_holder_is_the_same_over_the_whole_span(versions: list[Party]) -> None:
    history: History[Party] = History()
    for version in versions:
        history.put("p", version)
    for ts_us in range(32):
        span = history.span("p", ts_us)
        assert span.from_us <= ts_us < span.to_us
        for inside in range(span.from_us, min(span.to_us, 32)):
            assert history.at("p", inside) == span.holder


@given(_versions)
def test_spans_cover_all_of_time(versions: list[Party]) -> None:
    history: History[Party] = History()
    for version in versions:
        history.put("p", version)
    spans = list(history.spans("p"))
    assert (spans[0].from_us, spans[-1].to_us) == (MIN_INSTANT, FOREVER)
    assert all(one.to_us == other.from_us for one, other in pairwise(spans))
    assert all(history.at("p", span.from_us) == span.holder for span in spans)


@given(_versions)
def test_putting_again_changes_nothing(versions: list[Party]) -> None:
    history: History[Party] = History()
    for version in versions:
        history.put("p", version)
    last = {version.valid_from: version for version in versions}
    assert not any(history.put("p", version) for version in last.values())
    assert list(history.versions("p")) == [last[start] for start in sorted(last)]
