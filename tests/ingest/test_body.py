from hashlib import sha256
from io import BytesIO

import pytest

from schemas.errors import BatchTooLarge
from services.ingest.body import MEMORY_BYTES, Body


@pytest.mark.parametrize("size", [0, 1, MEMORY_BYTES, MEMORY_BYTES + 1, 3 * MEMORY_BYTES])
def test_reads_back_what_was_written_as_often_as_wanted(size, tmp_path):
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    with Body.of(BytesIO(data), 1 << 30, tmp_path) as body:
        assert body.size == size
        assert body.digest == sha256(data).hexdigest()
        for _ in range(2):
            with body.open() as reader:
                assert reader.read() == data
        assert body.head(10) == data[:10]


def test_names_its_bound():
    with pytest.raises(BatchTooLarge, match="10 bytes"):
        Body.of(b"x" * 11, 10)
    assert Body.of(b"x" * 10, 10).size == 10


def test_leaves_no_file_behind(tmp_path):
    with Body.of(b"x" * (2 * MEMORY_BYTES), 1 << 30, tmp_path):
        assert list(tmp_path.iterdir()) == []  # no name, so a crash leaves nothing either
