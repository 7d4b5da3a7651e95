"""An ingest over a real embedded log, and what it wrote there."""

import json
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

import pytest

from eventlog.embedded import EmbeddedLog
from schemas.batch import TransferBatch, decode
from schemas.errors import Unavailable
from schemas.feed import BatchHeader, Receipt
from schemas.registry import REGISTRY_RECORD, FeedFormat
from schemas.reject import Reject
from schemas.topics import KIND_HEADER, RECEIPTS, REGISTRY_TOPIC, REJECTS, TRANSACTIONS, TRANSFERS
from services.ingest.body import Body
from services.ingest.ingest import Ingest
from services.ingest.settings import Settings
from services.ingest.tokens import Tokeniser

NOW_US = 1_462_500_000_000_000  # 2016-05-06
KEY = b"k" * 32
OPERATOR_KEY = "operator-key"
FEED_KEY = "feed-key"
REGISTERED = [
    {"kind": "feed", "feed_id": "bank_a", "bank": "bank_a", "key_sha256": sha256(b"feed-key").hexdigest()},
    {"kind": "feed", "feed_id": "strict", "bank": "bank_s", "policy": "batch"},
    {"kind": "feed", "feed_id": "keyless", "bank": "bank_k"},
]


class FlakyLog:
    """A real log whose appends to one topic, or whose flushes, fail when told to: as a broker may."""

    def __init__(self, log):
        self._log = log
        self.failing_topic = ""
        self.failing_flushes = 0

    def __getattr__(self, name):
        return getattr(self._log, name)

    def append(self, topic, *rest, **named):
        if topic.name == self.failing_topic:
            raise Unavailable("the broker is gone")
        self._log.append(topic, *rest, **named)

    def flush(self):
        if self.failing_flushes:
            self.failing_flushes -= 1
            raise Unavailable("the broker is gone")
        self._log.flush()


class World:
    """One ingest, restarted at will over the same log, and readers of what it wrote."""

    def __init__(self, log, settings):
        self.log = FlakyLog(log)
        self.settings = settings
        self.now_us = NOW_US
        self.tokens = Tokeniser(settings.token_key)
        self.restart()
        self.register(*REGISTERED)

    def restart(self):
        self.ingest = Ingest(self.log, self.settings, lambda: self.now_us)

    def register(self, *records):
        with Body.of(b"".join(json.dumps(one).encode() + b"\n" for one in records), 1 << 30) as body:
            return self.ingest.registration.register(body)

    def push(self, records, feed="bank_a", sequence=1, count=None, total=None, format=FeedFormat.json):
        data = records if isinstance(records, bytes) else ndjson(records)
        header = BatchHeader(
            feed_id=feed,
            sequence=sequence,
            format=format,
            control_count=count,
            control_sum=None if total is None else Decimal(total),
        )
        with Body.of(data, 1 << 30) as body:
            return self.ingest.receiver.receive(header, body)

    def messages(self, topic):
        return list(self.log.replay(topic))

    def batches(self) -> list[TransferBatch]:
        return [
            decode(message.value)
            for message in self.messages(TRANSACTIONS)
            if message.headers[KIND_HEADER] == TRANSFERS
        ]

    def tx_ids(self) -> list[str]:
        return [tx_id for batch in self.batches() for tx_id in batch.columns.column("tx_id").to_pylist()]

    def rejects(self) -> dict[str, Reject]:
        """The newest of each id."""
        found = [Reject.model_validate_json(message.value) for message in self.messages(REJECTS)]
        return {reject.reject_id: reject for reject in found}

    def receipts(self) -> list[Receipt]:
        return [Receipt.model_validate_json(message.value) for message in self.messages(RECEIPTS)]

    def registered(self):
        return [REGISTRY_RECORD.validate_json(message.value) for message in self.messages(REGISTRY_TOPIC)]


def transaction(number: int, **changes: str) -> dict[str, str]:
    return {
        "tx_id": f"T{number}",
        "ts": "2016-05-04T09:30:00Z",
        "src": f"62170000{number:08}",
        "dst": "8110701012345678",
        "amount": "100.25",
        "currency": "CNY",
        **changes,
    }


def ndjson(records) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


@pytest.fixture
def tx():
    return transaction


@pytest.fixture
def as_ndjson():
    return ndjson


@pytest.fixture
def settings(tmp_path) -> Settings:
    spool = tmp_path / "spool"
    spool.mkdir()
    return Settings(
        token_key=KEY,
        operator_key_sha256=sha256(OPERATOR_KEY.encode()).hexdigest(),
        port=0,
        spool_folder=spool,
    )


@pytest.fixture
def make_world(tmp_path, settings) -> Iterator:
    logs = []

    def make(partitions=1, **changes):
        log = EmbeddedLog(tmp_path / f"log{len(logs)}", partitions)
        logs.append(log)
        return World(log, settings if not changes else Settings(**{**vars(settings), **changes}))

    yield make
    for log in logs:
        log.close()


@pytest.fixture
def world(make_world) -> World:
    return make_world()


PACS008 = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2016-05-04T09:30:00Z</CreDtTm><NbOfTxs>{count}</NbOfTxs>
<TtlIntrBkSttlmAmt Ccy="CNY">{total}</TtlIntrBkSttlmAmt><CtrlSum>{total}</CtrlSum>
<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>
<CdtTrfTxInf><PmtId><InstrId>I1</InstrId><EndToEndId>E1</EndToEndId><TxId>X1</TxId></PmtId>
<IntrBkSttlmAmt Ccy="CNY">617.20</IntrBkSttlmAmt><IntrBkSttlmDt>2016-05-04</IntrBkSttlmDt>
<ChrgBr>SLEV</ChrgBr><Dbtr><Nm>A</Nm></Dbtr>
<DbtrAcct><Id><Othr><Id>6217000000000001</Id></Othr></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>AAAACNBJ</BICFI></FinInstnId></DbtrAgt>
<CdtrAgt><FinInstnId><BICFI>BBBBCNBJ</BICFI></FinInstnId></CdtrAgt><Cdtr><Nm>B</Nm></Cdtr>
<CdtrAcct><Id><Othr><Id>8110701012345678</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>
</FIToFICstmrCdtTrf></Document>
"""


@pytest.fixture
def pacs008():
    return lambda **declared: PACS008.format(**declared).encode()
