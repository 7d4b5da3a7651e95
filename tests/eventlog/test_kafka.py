"""What the log over Kafka promises beyond the contract."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from dataclasses import replace

from schemas.topics import ALERTS


def test_no_broker_is_unavailable() -> None:
    # In a process of its own: kafka-python leaves a failed client's sockets to the garbage collector.
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        port = silent.getsockname()[1]
        program = f"""
from eventlog import kafka
from schemas.errors import Unavailable
kafka._BOOTSTRAP_MS = 500
try:
    kafka.KafkaLog("127.0.0.1:{port}")
except Unavailable as error:
    print(error)
"""
        printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    assert printed.startswith(f"Kafka at 127.0.0.1:{port}: ")


def test_members_of_a_group_share_the_partitions(kafka_bootstrap: str) -> None:
    from eventlog.kafka import KafkaLog

    topic = replace(ALERTS, name="shared", partitions=2)
    with KafkaLog(kafka_bootstrap) as log:
        log.create([topic])
        members = [log.consume([topic], "sharing") for _ in range(2)]
        settled = threading.Event()

        def poll(number: int) -> None:
            while not settled.is_set():
                members[number].poll(100)

        threads = [threading.Thread(target=poll, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            if settled.wait(0.1) or all(len(member._consumer.assignment()) == 1 for member in members):
                settled.set()
        for thread in threads:
            thread.join()
        assert sorted(place for member in members for place in member.positions()) == [
            ("shared", 0),
            ("shared", 1),
        ]
        assert [len(member.positions()) for member in members] == [1, 1]
        for member in members:
            member.close()
