"""A tiny language for worlds, so that cases are data: see typologies/cases/*.toml and `World`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise, product
from typing import Any

import pyarrow as pa
import pytest

from schemas.account import OUTSIDE
from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import SCHEMA, BatchId, TransferBatch
from schemas.currency import to_minor
from schemas.instant import DAY, to_micros
from schemas.law import load_law
from schemas.registry import REGISTRY_RECORD, RegistryRecord
from schemas.risk import RiskScore
from schemas.transaction import Purpose
from services.detector.engine import Engine
from services.detector.typologies import TYPOLOGIES
from services.detector.typology import Typology

LAW = load_law()
_RANGE = re.compile(r"(.*?)(\d+)\.\.(\d+)$")


def token(name: str) -> bytes:
    """The account called `name`; "outside" is the outside world."""
    return OUTSIDE if name == "outside" else blake2b(name.encode(), digest_size=16).digest()


def names(text: str) -> list[str]:
    """ "c1..3" is c1, c2, c3."""
    match = _RANGE.match(text)
    if match is None:
        return [text]
    stem, first, last = match[1], int(match[2]), int(match[3])
    return [f"{stem}{number}" for number in range(first, last + 1)]


@dataclass
class World:
    """What the supervisor knows, and what moves.

    flows: [day, payers, payees, amount, purpose, {product, instruction, currency, sent, days}]; day 0 is
    `start`, a name "c1..20" stands for twenty accounts, each of which pays or is paid, `sent` is the day
    on which the bank reports it, where that is later, and `days` on how many days in a row it happens.
    """

    start: str = "2021-06-01T00:00:00+08:00"
    flows: list[list[Any]] = field(default_factory=list)
    institutions: list[list[Any]] = field(default_factory=list)
    """[id, kind, party, {fee_rate_bp, licence, valid_from}]"""
    accounts: list[list[Any]] = field(default_factory=list)
    """[names, party or "=" for one's own, role, institution, {product_id, bank, …}]"""
    relations: list[list[Any]] = field(default_factory=list)
    """[from party, to party, kind, share_bp, {valid_from, valid_to}]"""
    parties: list[list[Any]] = field(default_factory=list)
    """[party, kind, industry, {qualified_investor}]"""
    products: list[list[Any]] = field(default_factory=list)
    """[id, institution, borrower party, {product_kind, principal_minor, rate_bp, issued_at, …}]"""
    filings: list[list[Any]] = field(default_factory=list)
    """[institution, kind, {party_id, product_id, cap_minor, period_days, …}]"""
    balances: list[list[Any]] = field(default_factory=list)
    """[day, account, kind, amount, {currency, sent}]; reported after the transfers reported by then"""

    def records(self) -> list[RegistryRecord]:
        return [REGISTRY_RECORD.validate_python(record) for record in self._records()]

    def _records(self) -> Iterator[dict[str, Any]]:
        for identity, kind, party, *more in self.institutions:
            extra = dict(more[0]) if more else {}
            if licence := extra.pop("licence", None):
                yield {
                    "kind": "licence",
                    "licence_id": f"licence-{identity}",
                    "institution_id": identity,
                    "business": licence,
                }
            yield {
                "kind": "institution",
                "institution_id": identity,
                "name": identity,
                "institution_kind": kind,
                "sector": "banking",
                "party_id": party,
                "registered_region": "110000",
                **extra,
            }
        for name, kind, industry, *more in self.parties:
            extra = more[0] if more else {}
            yield {"kind": "party", "party_id": name, "party_kind": kind, "industry": industry, **extra}
        for from_id, to_id, relation, *more in self.relations:
            yield {
                "kind": "relation",
                "from_id": from_id,
                "to_id": to_id,
                "relation": relation,
                "share_bp": more[0] if more else None,
                **(more[1] if len(more) > 1 else {}),
            }
        for account, party, role, *more in self.accounts:
            for name in names(account):
                yield {
                    "kind": "account",
                    "account_id": token(name).hex(),
                    "party_id": f"of-{name}" if party == "=" else party,
                    "bank": "bank",
                    "role": role,
                    "institution_id": more[0] or None if more else None,
                    **(more[1] if len(more) > 1 else {}),
                }
        for identity, institution, borrower, *more in self.products:
            yield {
                "kind": "product",
                "product_id": identity,
                "institution_id": institution,
                "borrower_party_id": borrower or None,
                **(more[0] if more else {}),
            }
        for number, (institution, filed, *more) in enumerate(self.filings):
            yield {
                "kind": "filing",
                "filing_id": f"filing-{number}",
                "institution_id": institution,
                "filing_kind": filed,
                **(more[0] if more else {}),
            }

    def rows(self) -> list[dict[str, Any]]:
        """Transfers as columns want them, as they are reported; at equal times in the order written."""
        start_us = to_micros(self.start)
        rows: list[dict[str, Any]] = []
        order: list[tuple[float, int]] = []
        for day, payers, payees, amount, purpose, extra in self._flows():
            for src, dst in product(names(payers), names(payees)):
                rows.append(
                    {
                        "tx_id": f"t{len(rows)}",
                        "ts_us": start_us + round(day * DAY),
                        "src": token(src),
                        "dst": token(dst),
                        "amount_minor": to_minor(str(amount), "CNY"),
                        "currency": extra.get("currency", "CNY"),
                        "purpose": int(Purpose[purpose]),
                        "product": extra.get("product", ""),
                        "channel": extra.get("channel", ""),
                        "src_bank": "",
                        "dst_bank": "",
                        "instruction": extra.get("instruction", ""),
                        "reversal_of": extra.get("reversal_of", ""),
                    }
                )
                order.append((extra.get("sent", day), len(order)))
        return [rows[place] for _, place in sorted(order)]

    def _flows(self) -> Iterator[tuple[float, str, str, Any, str, dict[str, Any]]]:
        """With what was left out, and as often as they happen."""
        for day, payers, payees, amount, *more in self.flows:
            purpose, extra = more[0] if more else "unknown", more[1] if len(more) > 1 else {}
            for later in range(extra.get("days", 1)):
                yield day + later, payers, payees, amount, purpose, extra

    def statements(self) -> list[tuple[int, Balance]]:
        """(after how many rows it is reported, statement), in that order."""
        sent = sorted(
            extra.get("sent", day)
            for day, payers, payees, _, _, extra in self._flows()
            for _ in product(names(payers), names(payees))
        )
        found = []
        for day, account, kind, amount, *more in self.balances:
            extra = more[0] if more else {}
            stated = Balance(
                account_id=token(account).hex(),
                as_of=to_micros(self.start) + round(day * DAY),
                balance_kind=kind,
                balance_minor=to_minor(str(amount), "CNY"),
                currency=extra.get("currency", "CNY"),
            )
            found.append((bisect_right(sent, extra.get("sent", day)), stated))
        return sorted(found, key=lambda one: one[0])


def batch(rows: Sequence[dict[str, Any]], batch_id: str, feed_id: str = "feed") -> TransferBatch:
    arrays = [pa.array([row[name.name] for row in rows], type=name.type) for name in SCHEMA]
    return TransferBatch(BatchId(feed_id, batch_id, 0), pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))


@dataclass
class Run:
    engine: Engine
    alerts: list[Alert] = field(default_factory=list)
    scores: list[RiskScore] = field(default_factory=list)

    def feed(self, rows: Sequence[dict[str, Any]], batch_id: str) -> None:
        outputs = self.engine.apply_transfers(batch(rows, batch_id))
        self.alerts += outputs.alerts
        self.scores += outputs.scores

    def state(self, balances: Sequence[Balance]) -> None:
        outputs = self.engine.apply_balances(balances)
        self.alerts += outputs.alerts
        self.scores += outputs.scores

    def bytes(self) -> bytes:
        return "\n".join(each.model_dump_json() for each in (*self.alerts, *self.scores)).encode()

    def of(self, typology: str) -> list[Alert]:
        return [alert for alert in self.alerts if alert.typology == typology]


def run(
    world: World,
    cuts: Iterable[int] = (),
    registry: Sequence[RegistryRecord] = (),
    typologies: Sequence[type[Typology]] = TYPOLOGIES,
    most: tuple[int, int] = (100_000, 20_000),
) -> Run:
    """Play the world to a new engine, its rows cut into batches at `cuts`. `most` transfers and accounts are
    the graph's stated maximum."""
    max_transfers, max_accounts = most
    engine = Engine(LAW, max_transfers=max_transfers, max_accounts=max_accounts, typologies=typologies)
    done = Run(engine)
    done.engine.apply_registry([*world.records(), *registry])
    rows = world.rows()
    stated = world.statements()
    places = {place for place, _ in stated}
    edges = sorted({0, *places, *(cut for cut in cuts if cut < len(rows)), len(rows)})
    for first, last in pairwise([*edges, len(rows)]):
        done.state([balance for place, balance in stated if place == first])
        if first < last:
            done.feed(rows[first:last], f"{first}")
    return done


@pytest.fixture
def world() -> type[World]:
    return World


@pytest.fixture
def play() -> Any:
    return run


@pytest.fixture
def batches() -> Any:
    return batch


@pytest.fixture
def token_of() -> Any:
    return lambda name: token(name).hex()
