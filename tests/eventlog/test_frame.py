from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventlog.frame import bodies, decode, encode

Sent = tuple[bytes, bytes, dict[str, bytes], int]

messages = st.tuples(
    st.binary(max_size=40),
    st.binary(max_size=200),
    st.dictionaries(st.text(max_size=20), st.binary(max_size=40), max_size=4),
    st.integers(0, 2**62),
)


@given(st.lists(messages, max_size=5), st.binary(max_size=6))
def test_whole_frames_come_back_and_a_torn_tail_does_not(sent: list[Sent], torn: bytes) -> None:
    frames = [encode(*message) for message in sent]
    found = list(bodies(b"".join(frames) + torn))
    assert [size for _, size in found] == [len(frame) for frame in frames]
    for (key, value, headers, appended_us), (body, _) in zip(sent, found, strict=True):
        assert decode(body) == (appended_us, headers, key, value)


@given(messages, st.data())
def test_no_flipped_bit_passes(message: Sent, data: st.DataObject) -> None:
    frame = bytearray(encode(*message))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= 1 << data.draw(st.integers(0, 7))
    assert list(bodies(bytes(frame))) == []
