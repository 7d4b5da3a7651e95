"""What the worker and the runner share: decoding, catching up, skipping what cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.log import Message
from schemas.topics import ALERTS, KIND_HEADER, REGISTRY, RISK_SCORES, TRANSFERS
from services.detector.processing import Detector, Output
from tests.detector.counting import CountingEngine
from tests.detector.stream import PARTITIONS, STREAM, offline


def reading(stream: Sequence[Message]) -> Detector:
    def read(partition: int, start: int, end: int) -> Iterable[Message]:
        return [m for m in stream if m.partition == partition and start <= m.offset < end]

    return Detector(CountingEngine, read)


@pytest.fixture
def detector() -> Detector:
    return reading(STREAM)


def test_every_kind_of_message_has_its_outputs(detector: Detector) -> None:
    found = [output for message in STREAM for output in detector.apply([message])]
    assert found == offline()
    assert {output.topic for output in found} == {ALERTS, RISK_SCORES}


@given(st.sampled_from(range(PARTITIONS)), st.lists(st.integers(1, 40), max_size=20))
def test_outputs_do_not_depend_on_how_many_messages_come_at_once(partition: int, sizes: list[int]) -> None:
    log = [message for message in STREAM if message.partition == partition]
    singly, jointly, found, rest = reading(log), reading(log), list[Output](), log
    for size in (*sizes, len(log)):
        found += jointly.apply(rest[:size])
        rest = rest[size:]
    assert found == [output for message in log for output in singly.apply([message])]
    assert jointly.counts == singly.counts


def test_partitions_are_taken_apart(detector: Detector) -> None:
    found = detector.apply(STREAM)
    assert sorted(found, key=str) == sorted(offline(), key=str)
    assert detector.counts.replayed == 0


def test_what_was_seen_is_silent(detector: Detector) -> None:
    for message in STREAM:
        detector.apply([message])
    assert [detector.apply([message]) for message in STREAM] == [[]] * len(STREAM)


accidents = st.dictionaries(
    st.integers(0, len(STREAM) - 1), st.sampled_from(["drop", "skip", "seek back"]), max_size=8
)


@given(accidents)
def test_outputs_do_not_depend_on_restarts_gaps_and_repeats(happens: dict[int, str]) -> None:
    steady, shaken = reading(STREAM), reading(STREAM)
    right = [steady.apply([message]) for message in STREAM]
    spoke: set[int] = set()

    def apply(position: int) -> None:
        found = shaken.apply([STREAM[position]])
        assert found in ([], right[position])
        spoke.update([position] * bool(found))

    for position, message in enumerate(STREAM):
        match happens.get(position):
            case "drop":
                shaken.drop(message.partition)
            case "seek back":
                for earlier in range(position):
                    apply(earlier)
            case "skip":  # another worker had it
                continue
        apply(position)
    skipped = {position for position, accident in happens.items() if accident == "skip"}
    assert spoke | skipped >= {position for position, found in enumerate(right) if found}


def test_partitions_not_kept_are_forgotten(detector: Detector) -> None:
    first = [message for message in STREAM if message.partition == 0]
    for message in first[:5]:
        detector.apply([message])
    detector.keep({1})
    detector.apply([first[5]])
    assert detector.counts.replayed == 5


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ({}, b"{}"),
        ({KIND_HEADER: b"gossip"}, b"{}"),
        ({KIND_HEADER: TRANSFERS}, b"not arrow"),
        ({KIND_HEADER: TRANSFERS}, b""),
        ({KIND_HEADER: REGISTRY}, b"{"),
        ({KIND_HEADER: REGISTRY}, b'[{"kind": "party"}]'),
        ({KIND_HEADER: REGISTRY}, b"[" * 100_000),
    ],
    ids=["no kind", "unknown kind", "not arrow", "empty", "not json", "not a record", "too deep"],
)
def test_what_cannot_be_decoded_is_counted_logged_and_skipped(
    detector: Detector, headers: dict[str, bytes], value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    bad = replace(STREAM[0], headers=headers, value=value)
    with caplog.at_level(logging.ERROR):
        assert detector.apply([bad]) == []
    assert detector.counts.undecodable == 1
    assert f"transactions/{bad.partition}@{bad.offset} cannot be decoded" in caplog.text
    following = next(m for m in STREAM if m.partition == bad.partition and m.offset == bad.offset + 1)
    assert detector.apply([following]) != []


def test_registry_change_with_no_records_is_harmless(detector: Detector) -> None:
    empty = replace(STREAM[0], headers={KIND_HEADER: REGISTRY}, value=b"[]")
    assert [output.topic for output in detector.apply([empty])] == [RISK_SCORES]


def test_a_partition_that_fills_up_is_an_alarm_once(
    detector: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    for message in STREAM:
        detector.apply([message])
    alarms = [record for record in caplog.records if "full" in record.message]
    assert len(alarms) == len(detector.counts.fill) == 2
    assert all(share >= 0.8 for share in detector.counts.fill.values())
    detector.drop(0)
    assert list(detector.counts.fill) == [1]
