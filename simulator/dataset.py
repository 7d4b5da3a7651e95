"""The labelled data set on disk, in the documented layout. Written a day at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from schemas.currency import to_major
from schemas.instant import MAX_INSTANT, to_rfc3339
from schemas.registry import KINDS, RegistryRecord
from schemas.transaction import FIELDS, Transaction
from simulator import parameters as p
from simulator.arrivals import Arrivals
from simulator.dates import end_of_day
from simulator.flows import NONE
from simulator.register import OUTSIDE, Pattern
from simulator.streams import Ints
from simulator.world import LABEL_SOURCE, Day, World, timestamps

LABELS: Final = ("tx_id", "pattern_id", "pattern_type", "is_illicit", "label_source")
PATTERNS: Final = (
    "pattern_id",
    "pattern_type",
    "is_illicit",
    "n_tx",
    "n_accounts",
    "first_ts",
    "last_ts",
    "total_amount",
    "shape_ok",
    "label_source",
    "main_account",
    "accounts",
    "variant",
    "care",
    "also",
    "detectable_ts",
)
ACCOUNTS: Final = ("account", "bank", "kind", "opening_balance")
BALANCES: Final = ("account", "as_of", "kind", "balance", "currency")

Progress = Callable[[int, int], None]
"""Called after each day with (days written, days in all)."""


def _silent(_done: int, _all: int) -> None:
    """No progress shown."""


def write(world: World, out: Path, progress: Progress = _silent) -> None:
    """Write transactions.csv, in the order in which banks report them, labels.csv, patterns.csv,
    accounts.csv, balances.csv and registry/<kind>.ndjson to `out`, which is made where it does not exist.
    Blocks; OSError when the disk refuses."""
    (out / "registry").mkdir(parents=True, exist_ok=True)
    _write_registry(world.registry_records(), out / "registry")
    _write_table(out / "accounts.csv", ACCOUNTS, _account_rows(world))
    tally = _Tally.of(len(world.patterns))
    with ExitStack() as files:
        transactions = _table(files, out / "transactions.csv", FIELDS)
        labels = _table(files, out / "labels.csv", LABELS)
        balances = _table(files, out / "balances.csv", BALANCES)
        arrivals = Arrivals()
        for done, day in enumerate(world.days(), start=1):
            transactions.writerows(map(_fields, arrivals.of(day)))
            labels.writerows(_label_row(tx_id, pattern) for tx_id, pattern in day.labels)
            balances.writerows(_balance_rows(day))
            tally.count(day)
            progress(done, world.length)
        transactions.writerows(map(_fields, arrivals.rest()))
    _write_table(out / "patterns.csv", PATTERNS, _pattern_rows(world, tally))


def _table(files: ExitStack, path: Path, header: Iterable[str]) -> Any:
    file = files.enter_context(path.open("w", encoding="utf-8", newline=""))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    return writer


def _write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with ExitStack() as files:
        _table(files, path, header).writerows(rows)


def _write_registry(records: Iterable[RegistryRecord], folder: Path) -> None:
    """One file a kind, one JSON object a line."""
    with ExitStack() as files:
        lines = {
            kind: files.enter_context((folder / f"{kind}.ndjson").open("w", encoding="utf-8"))
            for kind in KINDS
        }
        for record in records:
            lines[record.kind].write(record.model_dump_json() + "\n")


def _account_rows(world: World) -> Iterator[tuple[str, ...]]:
    for row in world.register.accounts[OUTSIDE + 1 :]:
        yield row.number, row.bank, row.kind, to_major(row.opening_minor, p.CURRENCY)


def _balance_rows(day: Day) -> Iterator[tuple[str, ...]]:
    for row in day.balances:
        yield row.account, to_rfc3339(row.as_of_us), row.kind, to_major(row.minor, p.CURRENCY), p.CURRENCY


def _fields(transfer: Transaction) -> list[str]:
    return [getattr(transfer, field) for field in FIELDS]


def _label_row(tx_id: str, pattern: Pattern) -> tuple[str, str, str, str, str]:
    return tx_id, pattern.pattern_id, pattern.type, str(int(pattern.illicit)), LABEL_SOURCE


@dataclass(slots=True)
class _Tally:
    """What each pattern came to, by its index."""

    count_of: Ints
    total: Ints
    first_us: Ints
    last_us: Ints
    proven_us: Ints
    finished: set[int]

    @staticmethod
    def of(patterns: int) -> _Tally:
        zeros = np.zeros(patterns, dtype=np.int64)
        first = np.full(patterns, MAX_INSTANT)
        return _Tally(zeros.copy(), zeros.copy(), first, zeros.copy(), zeros.copy(), set())

    def count(self, day: Day) -> None:
        rows = day.columns.pattern != NONE
        pattern, at = day.columns.pattern[rows], day.columns.at[rows]
        np.add.at(self.count_of, pattern, 1)
        np.add.at(self.total, pattern, day.columns.amount[rows])
        np.minimum.at(self.first_us, pattern, at)
        np.maximum.at(self.last_us, pattern, at)
        for index in sorted(day.proven):
            self.proven_us[index] = self.last_us[index]
        self.finished |= day.finished

    def detectable(self, index: int, *, by_evening: bool) -> str:
        """When it could be proven: when its script said so, else with its last transfer; `by_evening`: not
        before the end of that day."""
        proven_us = int(self.proven_us[index] or self.last_us[index])
        return to_rfc3339(end_of_day(proven_us) if by_evening else proven_us)


def _pattern_rows(world: World, tally: _Tally) -> Iterator[tuple[object, ...]]:
    """Only patterns that moved money. A planted one has its shape when its script came to its end."""
    for index, pattern in enumerate(world.patterns):
        if not tally.count_of[index]:
            continue
        first, last = timestamps(np.array([tally.first_us[index], tally.last_us[index]]))
        accounts = sorted({world.register.accounts[account].number for account in pattern.accounts})
        yield (
            pattern.pattern_id,
            pattern.type,
            int(pattern.illicit),
            int(tally.count_of[index]),
            len(accounts),
            first,
            last,
            to_major(int(tally.total[index]), p.CURRENCY),
            int(not pattern.illicit or index in tally.finished),
            LABEL_SOURCE,
            world.register.accounts[pattern.main_account].number,
            ";".join(accounts),
            pattern.variant,
            pattern.care,
            ";".join(pattern.also),
            tally.detectable(index, by_evening=pattern.by_evening) if pattern.illicit else "",
        )
