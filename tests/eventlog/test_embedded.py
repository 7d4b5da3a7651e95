"""What the embedded log promises beyond the contract: its files, crashes, one process, retention."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from logging import WARNING
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.embedded import EmbeddedLog
from schemas.errors import Conflict, Unavailable
from schemas.instant import DAY, HOUR
from schemas.topics import ALERTS, REJECTS


def append(folder: Path, *values: bytes, segment_bytes: int = 1 << 20) -> None:
    with EmbeddedLog(folder, segment_bytes=segment_bytes) as log:
        log.create([ALERTS])
        for value in values:
            log.append(ALERTS, b"", value)


def values(folder: Path) -> list[bytes]:
    with EmbeddedLog(folder) as log:
        return [message.value for message in log.replay(ALERTS)]


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "topics" / ALERTS.name / "0").iterdir())


@pytest.mark.parametrize("torn_bytes", [1, 7, 8, 20])
def test_torn_tail_is_cut_off(tmp_path: Path, torn_bytes: int, caplog: pytest.LogCaptureFixture) -> None:
    append(tmp_path, b"whole", b"torn by a crash")
    (segment,) = segments(tmp_path)
    os.truncate(segment, segment.stat().st_size - torn_bytes)
    with caplog.at_level(WARNING):
        append(tmp_path, b"after")
    assert "torn write cut off" in caplog.text
    assert values(tmp_path) == [b"whole", b"after"]


def test_killed_writer_loses_nothing_it_flushed(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from eventlog.embedded import EmbeddedLog
from schemas.topics import ALERTS
log = EmbeddedLog(Path({str(tmp_path)!r}))
log.create([ALERTS])
for number in range(100):
    log.append(ALERTS, b"", b"%d" % number)
log.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert finished.returncode == -signal.SIGKILL, finished.stderr
    assert values(tmp_path) == [b"%d" % number for number in range(100)]


def test_damage_is_named_not_skipped(tmp_path: Path) -> None:
    append(tmp_path, b"x" * 100, b"y" * 100, segment_bytes=100)
    first, second = segments(tmp_path)
    first.write_bytes(first.read_bytes().replace(b"xx", b"xz", 1))
    with EmbeddedLog(tmp_path) as log:
        consumer = log.consume([ALERTS], "group")
        for _ in range(2):
            with pytest.raises(Unavailable, match=rf"{first.name} is damaged at byte 0: offset 0"):
                consumer.poll(0)
        consumer.close()
    assert second.exists()


def test_messages_before_the_damage_are_still_read(tmp_path: Path) -> None:
    append(tmp_path, b"x" * 100, b"y" * 100, segment_bytes=100)
    _, second = segments(tmp_path)
    with EmbeddedLog(tmp_path) as log:
        log.append(ALERTS, b"", b"z" * 100)
        second.write_bytes(second.read_bytes().replace(b"yy", b"yz", 1))
        consumer = log.consume([ALERTS], "group")
        assert [message.value for message in consumer.poll(0)] == [b"x" * 100]
        with pytest.raises(Unavailable, match="damaged"):
            consumer.poll(0)
        consumer.close()


@given(
    sizes=st.lists(st.integers(0, 300), max_size=30),
    segment_bytes=st.integers(50, 1000),
    at=st.integers(0, 30),
)
def test_segments_do_not_show(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], segment_bytes: int, at: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    sent = [bytes([number]) * size for number, size in enumerate(sizes)]
    append(folder, *sent, segment_bytes=segment_bytes)
    assert values(folder) == sent
    with EmbeddedLog(folder, segment_bytes=segment_bytes) as log:
        log.commit("group", {(ALERTS.name, 0): at})
        consumer = log.consume([ALERTS], "group")
        assert [message.value for message in consumer.poll(0)] == sent[at:]
        consumer.close()


def test_offset_past_a_lost_tail_waits_at_the_end(tmp_path: Path) -> None:
    append(tmp_path, b"kept", b"lost in a power cut after it was read")
    with EmbeddedLog(tmp_path) as log:
        log.commit("group", {(ALERTS.name, 0): 2})
    (segment,) = segments(tmp_path)
    os.truncate(segment, segment.stat().st_size - 1)
    with EmbeddedLog(tmp_path) as log:
        consumer = log.consume([ALERTS], "group")
        log.append(ALERTS, b"", b"sent again")
        assert [message.value for message in consumer.poll(0)] == [b"sent again"]
        consumer.close()


def test_retention_deletes_whole_old_segments(tmp_path: Path) -> None:
    append(tmp_path, b"old" * 50, b"younger" * 50, b"youngest" * 50, segment_bytes=100)
    oldest, middle, active = segments(tmp_path)
    for segment, age_us in ((oldest, 2 * DAY), (middle, DAY // 2), (active, 2 * DAY)):
        changed_s = segment.stat().st_mtime - age_us / 1e6
        os.utime(segment, (changed_s, changed_s))
    with EmbeddedLog(tmp_path) as log:
        short = replace(ALERTS, retention_us=DAY)
        assert [message.offset for message in log.replay(short)] == [1, 2]
        consumer = log.consume([short], "group")
        assert [message.offset for message in consumer.poll(0)] == [1, 2]
        consumer.close()
    assert segments(tmp_path) == [middle, active]


def test_slow_reader_is_moved_past_what_retention_deleted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    append(tmp_path, b"a" * 100, b"b" * 100, b"c" * 100, segment_bytes=100)
    short = replace(ALERTS, retention_us=HOUR)
    with EmbeddedLog(tmp_path, segment_bytes=100) as log:
        consumer = log.consume([short], "group")
        assert [message.offset for message in consumer.poll(0, max_messages=1)] == [0]
        for segment in segments(tmp_path):
            os.utime(segment, (0, 0))
        log.append(short, b"", b"d" * 100)
        with caplog.at_level(WARNING):
            assert [message.offset for message in consumer.poll(0)] == [3]
        assert "offsets 1 to 2 were deleted unread" in caplog.text
        consumer.close()


def test_second_process_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from eventlog.embedded import EmbeddedLog;"
        f"log = EmbeddedLog(Path({str(tmp_path)!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Unavailable, match=f"in use by process {holder.pid}$"):
            EmbeddedLog(tmp_path)
        holder.kill()
        holder.wait()
        EmbeddedLog(tmp_path).close()  # a killed process holds nothing


def test_group_has_one_reader_of_a_topic(tmp_path: Path) -> None:
    with EmbeddedLog(tmp_path) as log:
        log.create([ALERTS, REJECTS])
        first = log.consume([ALERTS], "group")
        with pytest.raises(Conflict, match=f"group already reads {ALERTS.name}"):
            log.consume([REJECTS, ALERTS], "group")
        log.consume([REJECTS], "group").close()
        first.close()
        log.consume([ALERTS], "group").close()


def test_commits_of_one_group_over_two_topics_add_up(tmp_path: Path) -> None:
    with EmbeddedLog(tmp_path) as log:
        log.commit("group", {("alerts", 0): 3})
        log.commit("group", {("rejects", 0): 5})
    assert json.loads((tmp_path / "groups" / "group.json").read_text()) == {"alerts/0": 3, "rejects/0": 5}


def test_closed_log_says_so(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path)
    log.create([ALERTS])
    consumer = log.consume([ALERTS], "group")
    log.close()
    for use in (lambda: log.append(ALERTS, b"", b""), log.flush, lambda: consumer.poll(0), consumer.commit):
        with pytest.raises(Unavailable, match="closed"):
            use()
    consumer.close()


def test_full_disk_is_unavailable_and_leaves_no_half_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def full(file: int, data: bytes) -> int:
        write(file, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with EmbeddedLog(tmp_path) as log:
        log.create([ALERTS])
        log.append(ALERTS, b"", b"before")
        with monkeypatch.context() as disk:
            disk.setattr(os, "write", full)
            with pytest.raises(Unavailable, match="No space left"):
                log.append(ALERTS, b"", b"does not fit")
        log.append(ALERTS, b"", b"after")
        assert [message.value for message in log.replay(ALERTS)] == [b"before", b"after"]
    assert values(tmp_path) == [b"before", b"after"]
