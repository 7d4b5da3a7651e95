"""What the banks send in the path benchmark, made before the clock starts.

Honest business and planted cases of the simulated world, and markers: transfers out of a reserve
account of their own to a stranger, each of which must become one alert whose delay can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from schemas.registry import (
    Account,
    AccountRole,
    Institution,
    InstitutionKind,
    Party,
    PartyKind,
    RegistryRecord,
)
from schemas.transaction import Transaction
from simulator.world import Day

FEED = "feed-bank-01"


@dataclass(frozen=True, slots=True)
class Message:
    """One batch as a bank writes it to the topic. `marker`: the institution whose alert it must raise."""

    sequence: int
    content: bytes
    rows: int
    total: Decimal
    marker: str | None = None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        return [
            ("feed", FEED.encode()),
            ("format", b"json"),
            ("sequence", str(self.sequence).encode()),
            ("control-count", str(self.rows).encode()),
            ("control-sum", str(self.total).encode()),
        ]


def marker_registry(count: int) -> Iterator[RegistryRecord]:
    """`count` payment institutions with one reserve account each."""
    for number in range(count):
        name, party = marker_name(number), f"marker-party-{number}"
        yield Party(party_id=party, party_kind=PartyKind.company)
        yield Institution(
            institution_id=name,
            name=name,
            institution_kind=InstitutionKind.payment,
            sector="payment",
            party_id=party,
            registered_region="110000",
        )
        yield Account(
            account_id=f"marker-reserve-{number}",
            party_id=party,
            bank="bank-01",
            role=AccountRole.reserve,
            institution_id=name,
        )


def marker_name(number: int) -> str:
    return f"marker-{number:05d}"


def messages(
    days: Iterable[Day], rows: int, first_sequence: int = 1, markers_every: int = 0
) -> Iterator[Message]:
    """The transfers of `days`, `rows` a message; with a marker at the head of every n-th message."""
    waiting: list[Transaction] = []
    sequence = first_sequence
    for day in days:
        waiting.extend(day.transfers)
        while len(waiting) >= rows:
            chunk, waiting = waiting[:rows], waiting[rows:]
            position = sequence - first_sequence
            marker = position // markers_every if markers_every and position % markers_every == 0 else None
            yield _message(sequence, chunk, marker)
            sequence += 1


def _message(sequence: int, transfers: list[Transaction], marker: int | None) -> Message:
    if marker is not None:
        first = transfers[0]
        misuse = Transaction(
            tx_id=f"marker-{marker}",
            ts=first.ts,
            src=f"marker-reserve-{marker}",
            dst=f"stranger-{marker}",
            amount="5000000.00",
            currency="CNY",
        )
        transfers = [misuse, *transfers]
    content = b"\n".join(map(msgspec.json.encode, transfers))
    total = sum((Decimal(transfer.amount) for transfer in transfers), Decimal(0))
    name = None if marker is None else marker_name(marker)
    return Message(sequence, content, len(transfers), total, name)
