"""The whole path as deployed: a bank's feed in through real Kafka, alerts out over HTTP.

The alerts must be about what the same transfers give offline. Not byte for byte: the banks' batches
reach the log in another order than the file's, and the tokens are made with another key.
"""

import hashlib
import time
from pathlib import Path

import httpx
import pytest
from kafka import KafkaProducer

from lookthrough.client import PushClient
from lookthrough.detect import detect
from schemas.law import load_law
from schemas.registry import Feed, FeedFormat
from services.detector.engine import Engine
from simulator import dataset
from simulator.feed import CLEAN, feed_batches
from simulator.world import simulate

CAMT054 = Path(__file__).parents[2] / "shared/data/iso20022/camt054/camt.054.001.04__moov-io__10.xml"
CAMT054_DETAILS = 6  # as its manifest says
SEED, DAYS = 7, 5


@pytest.fixture(scope="module")
def world():
    return simulate(SEED, DAYS)


@pytest.fixture(scope="module")
def offline(world, tmp_path_factory):
    """What `lookthrough detect` finds in the same world; balances go another way than this topic."""
    folder = tmp_path_factory.mktemp("world")
    dataset.write(world, folder)
    (folder / "balances.csv").unlink()
    found = detect(
        [folder / "transactions.csv"], folder / "registry", folder / "alerts.jsonl", Engine(load_law())
    )
    assert {"pooling", "reserve_misuse"} <= {alert.typology for alert in found.alerts.values()}
    return found


@pytest.fixture(scope="module")
def supervisor(deployed):
    headers = {"Authorization": f"Bearer {deployed.keys['supervisor']}"}
    with httpx.Client(base_url=deployed.api, headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def registered(deployed, world, tmp_path_factory):
    """The world's registry, and a feed for the camt.054 file."""
    folder = tmp_path_factory.mktemp("registry")
    camt_feed = Feed(feed_id="camt-bank", bank="camt-bank", format=FeedFormat.camt054)
    lines = [record.model_dump_json() for record in (*world.registry, camt_feed)]
    file = folder / "registry.ndjson"
    file.write_text("\n".join(lines) + "\n")
    client = PushClient(deployed.ingest, deployed.keys["operator"])
    answer = client.push_registry(file)
    client.close()
    assert answer["rejected"] == 0
    assert answer["accepted"] == len(lines)


@pytest.fixture(scope="module")
def fed(deployed, registered, world):
    """Banks have written the simulated days to the topic that they write to, in the order of time: to one
    of its partitions, for several are read in any order."""
    producer = KafkaProducer(bootstrap_servers=deployed.kafka, acks="all")
    for batch in feed_batches(world, CLEAN):
        headers = [
            ("feed", batch.feed_id.encode()),
            ("format", b"json"),
            ("sequence", str(batch.sequence).encode()),
            ("control-count", str(batch.control_count).encode()),
            ("control-sum", str(batch.control_sum).encode()),
        ]
        producer.send("feed-batches", value=batch.content, headers=headers, partition=0)
    producer.flush()
    producer.close()


def test_the_simulated_days_give_the_alerts_of_the_offline_run(fed, offline, supervisor):
    expected = set(map(likeness, (alert.model_dump() for alert in offline.alerts.values())))
    assert until(lambda: newest_alerts(supervisor), lambda found: found == expected) == expected


def test_an_alert_can_be_opened_and_its_evidence_drawn(fed, offline, supervisor):
    alert = until(lambda: items(supervisor, "/v1/alerts?limit=1"))[0]
    evidence = get(supervisor, f"/v1/alerts/{alert['alert_id']}/evidence")
    assert evidence["nodes"]
    assert all(edge["tx_id"] for edge in evidence["edges"])


def test_an_institution_with_alerts_has_a_score(fed, offline, supervisor):
    institution = next(iter(offline.scores))
    score = until(lambda: get(supervisor, f"/v1/institutions/{institution}/risk-score"))
    assert 0 < score["score"] <= 100


def test_nobody_reads_without_a_key(deployed):
    assert httpx.get(f"{deployed.api}/v1/alerts").status_code == 401


def test_a_real_camt054_file_gets_its_receipt(deployed, fed, supervisor):
    # Last, since its bookings are months later than the simulated days, which would be too late then.
    if not CAMT054.exists():
        pytest.skip(f"the real ISO 20022 messages are not here: {CAMT054}")
    content = CAMT054.read_bytes()
    producer = KafkaProducer(bootstrap_servers=deployed.kafka, acks="all")
    producer.send("feed-batches", value=content, headers=[("feed", b"camt-bank")])
    producer.flush()
    producer.close()
    receipts = until(lambda: items(supervisor, "/v1/feeds/camt-bank/receipts"))
    assert [receipt["digest"] for receipt in receipts] == [hashlib.sha256(content).hexdigest()]
    assert receipts[0]["status"] == "accepted"
    assert receipts[0]["accepted"] == CAMT054_DETAILS


def newest_alerts(supervisor):
    return set(map(likeness, items(supervisor, "/v1/alerts?limit=500")))


def likeness(alert):
    """What an alert is about. What it says of when and how much depends on the order of arrival."""
    return alert["typology"], alert["institution_id"] or ""


def get(client, path):
    """The JSON there; None while there is nothing yet."""
    answer = client.get(path)
    return None if answer.status_code == 404 else answer.raise_for_status().json()


def items(client, path):
    page = get(client, path)
    return page["items"] if page else []


def until(ask, is_enough=bool, timeout_s=120):
    """The first answer that is enough, or the last one when none is in time."""
    deadline = time.monotonic() + timeout_s
    while not is_enough(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer
