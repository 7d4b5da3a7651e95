import json

import pytest

from schemas.errors import InvalidRecord, Unavailable
from schemas.examples import invalid, valid
from schemas.registry import KINDS, REGISTRY_RECORD
from schemas.topics import REGISTRY_TOPIC, TRANSACTIONS
from services.ingest.body import Body
from services.ingest.registration import LINE_BYTES, MESSAGE_RECORDS, record_of

IDENTITY = "11010519491231002X"
ACCOUNT = {"kind": "account", "account_id": "6217001", "party_id": "P1", "bank": "bank_a", "role": "client"}
PARTY = {
    "kind": "party",
    "party_id": "P1",
    "name": "王某",
    "party_kind": "person",
    "identity": IDENTITY,
}


def changes(world):
    """What the detectors of each partition read of the registry, in order."""
    found = {}
    for message in world.messages(TRANSACTIONS):
        if message.headers["kind"] == b"registry":
            found.setdefault(message.partition, []).extend(json.loads(message.value))
    return found


def test_numbers_become_tokens_and_every_partition_sees_the_change(make_world):
    world = make_world(partitions=3)
    receipt = world.register(ACCOUNT, PARTY)
    assert (receipt.records, receipt.accepted, receipt.unchanged, receipt.rejected) == (2, 2, 0, 0)
    (account,) = [one for one in world.registered() if one.kind == "account"]
    (party,) = [one for one in world.registered() if one.kind == "party"]
    token = world.tokens.account("6217001").hex()
    assert account.account_id == token
    assert party.identity == world.tokens.identity(IDENTITY)
    assert party.name == "王某"
    assert sorted(changes(world)) == [0, 1, 2]
    for seen in changes(world).values():
        assert [REGISTRY_RECORD.validate_python(one) for one in seen[-2:]] == [account, party]
    assert world.ingest.registry.holder(token, 5) == "P1"
    for topic in (TRANSACTIONS, REGISTRY_TOPIC):
        for message in world.messages(topic):
            assert b"6217001" not in message.key + message.value
            assert IDENTITY.encode() not in message.value


def test_what_is_unchanged_is_not_appended_again(world):
    world.register(ACCOUNT, PARTY)
    before = len(world.registered()), len(changes(world)[0])
    for _ in range(2):
        receipt = world.register(ACCOUNT, PARTY, PARTY)
        assert (receipt.accepted, receipt.unchanged) == (0, 3)
        world.restart()
    assert (len(world.registered()), len(changes(world)[0])) == before
    receipt = world.register({**ACCOUNT, "role": "own"}, ACCOUNT)
    assert (receipt.accepted, receipt.unchanged) == (2, 0)  # there and back is two changes
    receipt = world.register({**ACCOUNT, "valid_from": "2016-01-01"})
    assert receipt.accepted == 1


def test_a_bad_line_is_named_and_kept_and_the_rest_go_on(world):
    lines = [
        json.dumps(ACCOUNT).encode(),
        b"",
        b"{",
        json.dumps({**PARTY, "party_kind": "dog"}).encode(),
        b"[]",
    ]
    with Body.of(b"\r\n".join(lines), 1 << 20) as body:
        receipt = world.ingest.registration.register(body)
    assert (receipt.records, receipt.accepted, receipt.rejected) == (4, 1, 3)
    assert [(one.line, one.field) for one in receipt.rejects] == [(3, ""), (4, "party_kind"), (5, "")]
    rejects = world.rejects()
    for named in receipt.rejects:
        reject = rejects[named.reject_id]
        assert (reject.feed_id, reject.record_number, reject.field) == ("registry", named.line, named.field)
        assert reject.raw.encode().strip() == lines[named.line - 1]
        assert IDENTITY not in reject.reason


def test_a_line_that_never_ends_does_not_fill_memory(world):
    body = b'{"kind":"' + b"x" * (3 * LINE_BYTES) + b'"}\n' + json.dumps(ACCOUNT).encode()
    with Body.of(body, 1 << 20) as spooled:
        receipt = world.ingest.registration.register(spooled)
    assert (receipt.accepted, receipt.rejected) == (1, 1)
    (reject,) = world.rejects().values()
    assert len(reject.raw) == LINE_BYTES + 1
    assert "may have 65536 bytes" in reject.reason


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_of_every_kind(kind):
    for record in valid(kind):
        assert record_of(json.dumps(record).encode()) == REGISTRY_RECORD.validate_python(record)
    for example in invalid(kind):
        with pytest.raises(InvalidRecord) as refused:
            record_of(json.dumps(example.record).encode())
        assert refused.value.field == example.field, example.why


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"null", ""),
        (b"\xff", ""),
        (b'{"kind":"planet"}', "kind"),
        (b"{}", "kind"),
        (b"[" * 10_000, ""),
        (b'{"kind":"institution","operating_regions":[1]}', "institution_id"),
    ],
)
def test_whatever_a_line_holds_it_is_refused_by_name(line, field):
    with pytest.raises(InvalidRecord) as refused:
        record_of(line)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({**ACCOUNT, "account_id": "EXT_SINK"}, "account_id"),
        ({"kind": "feed", "feed_id": "registry", "bank": "b"}, "feed_id"),
        ({"kind": "feed", "feed_id": "unknown", "bank": "b"}, "feed_id"),
    ],
)
def test_reserved_names(world, record, field):
    receipt = world.register(record)
    assert [one.field for one in receipt.rejects] == [field]


def test_the_longest_records_fit_their_messages(world):
    longest = {
        "kind": "institution",
        "name": "\x00" * 1000,
        "institution_kind": "p2p",
        "operating_regions": ["r" * 128] * 64,
        **dict.fromkeys(("sector", "party_id", "registered_region", "group_id"), "x" * 128),
    }
    count = 2 * MESSAGE_RECORDS + 1
    receipt = world.register(*({**longest, "institution_id": f"I{n}"} for n in range(count)))
    assert receipt.accepted == count
    assert len(changes(world)[0]) == count + 3


def test_after_a_failure_the_same_push_completes_it(world):
    world.log.failing_topic = REGISTRY_TOPIC.name
    with pytest.raises(Unavailable):
        world.register(PARTY)
    assert world.ingest.registry.party("P1", 5) is None
    world.log.failing_topic = ""
    world.restart()
    assert world.register(PARTY).accepted == 1
    assert world.ingest.registry.party("P1", 5) is not None


def test_a_change_is_routed_by_at_once(make_world, tx):
    world = make_world(partitions=2)
    world.push([tx(1)], sequence=1)
    world.register({**ACCOUNT, "account_id": tx(2)["src"], "institution_id": "I1"})
    world.push([tx(2, tx_id="T9")], sequence=2)
    assert sorted(world.tx_ids()) == ["T1", "T1", "T9"]
