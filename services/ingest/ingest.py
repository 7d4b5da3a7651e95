"""Ingest put together over one log: what the HTTP routes, the direct topics and `make run` use."""

from __future__ import annotations

import time
from collections.abc import Callable

from eventlog.log import Log
from registry import Registry
from schemas.topics import DIRECT_FEEDS, DIRECT_REGISTRY, RECEIPTS, REGISTRY_TOPIC, REJECTS, TRANSACTIONS
from services.ingest.access import Access
from services.ingest.ledger import Ledger
from services.ingest.metrics import Metrics
from services.ingest.outlet import Outlet
from services.ingest.receive import FUTURE_US, Receiver
from services.ingest.registration import Registration
from services.ingest.resend import Resend
from services.ingest.settings import Settings
from services.ingest.statements import Statements
from services.ingest.tokens import Tokeniser


def now_us() -> int:
    return time.time_ns() // 1000


class Ingest:
    """One ingest over `log`. Its parts are safe to use from several threads.

    One process at a time may push to the same topics: receipts and registry are kept in memory.
    """

    def __init__(self, log: Log, settings: Settings, clock: Callable[[], int] = now_us) -> None:
        """Makes the topics that are missing, and reads receipts and registry back. Blocks."""
        log.create((DIRECT_FEEDS, DIRECT_REGISTRY, TRANSACTIONS, REGISTRY_TOPIC, RECEIPTS, REJECTS))
        self.log = log
        self.settings = settings
        self.clock = clock
        self.registry = Registry()
        self.metrics = Metrics()
        self.access = Access(settings.demo, settings.operator_key_sha256)
        self.outlet = Outlet(log, self.registry)
        tokens = Tokeniser(settings.token_key)
        ledger = Ledger(log)
        self.registration = Registration(log, self.registry, tokens, self.outlet, self.metrics, clock)
        self.receiver = Receiver(
            self.registry, tokens, self.outlet, ledger, self.metrics, clock, settings.spool_folder
        )
        self.statements = Statements(tokens, self.outlet, self.metrics, clock, FUTURE_US)
        self.resend = Resend(log, tokens, self.outlet, ledger, clock)
