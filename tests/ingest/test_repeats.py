import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest import repeats
from services.ingest.repeats import SeenIds


@pytest.fixture(scope="module", autouse=True)
def small_exact_part():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "EXACT_IDS", 4)
        yield


@given(st.lists(st.lists(st.text(st.characters(), min_size=1, max_size=2), unique=True, max_size=9)))
def test_it_finds_what_a_set_finds_however_much_is_only_kept_as_digest(chunks):
    seen, plain = SeenIds(), set()
    for chunk in chunks:
        assert seen.before(chunk) == plain.intersection(chunk)
        seen.add(chunk)
        plain.update(chunk)


def test_runs_stay_few():
    seen = SeenIds()
    for number in range(400):
        seen.add([str(number)])
    assert len(seen._older) <= 8
    assert seen.before([str(n) for n in range(500)]) == {str(n) for n in range(400)}
