"""One small world of six weeks, simulated and written once for all tests of the simulator."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from schemas.registry import REGISTRY_RECORD, Account, AccountRole, Institution, Relation
from simulator.dataset import write
from simulator.world import World, simulate

SEED, DAYS = 7, 45


@dataclass(eq=False)
class Written:
    """The data set as anybody would read it back, and the world it came from."""

    world: World
    folder: Path
    arrived: list[dict[str, str]]
    """Transactions as they lie in the file."""
    labels: list[dict[str, str]]
    patterns: list[dict[str, str]]
    accounts: list[dict[str, str]]
    balances: list[dict[str, str]]
    registry: list

    @cached_property
    def transactions(self) -> list[dict[str, str]]:
        """In time order."""
        return sorted(self.arrived, key=lambda row: row["tx_id"])

    @cached_property
    def by_id(self) -> dict[str, dict[str, str]]:
        return {row["tx_id"]: row for row in self.transactions}

    def of_kind(self, kind: type) -> list:
        return [record for record in self.registry if isinstance(record, kind)]

    @cached_property
    def honest(self) -> list[dict[str, str]]:
        """The transfers of no planted case, nor of a product that one touches."""
        illicit = {label["tx_id"] for label in self.labels if label["is_illicit"] == "1"}
        products = {self.by_id[tx_id]["product"] for tx_id in illicit} - {""}
        return [
            row for row in self.transactions if row["tx_id"] not in illicit and row["product"] not in products
        ]

    @cached_property
    def account_of(self) -> dict[str, Account]:
        return {account.account_id: account for account in self.of_kind(Account)}

    def role(self, account: str) -> AccountRole | None:
        """None: the registry does not hold the account."""
        known = self.account_of.get(account)
        return known.role if known else None

    @cached_property
    def institutions(self) -> dict[str, Institution]:
        return {i.institution_id: i for i in self.of_kind(Institution)}

    @cached_property
    def relations(self) -> list[Relation]:
        return self.of_kind(Relation)

    def transfers_of(self, pattern_id: str) -> list[dict[str, str]]:
        """The labelled transfers of one pattern, in time order."""
        return self._labelled[pattern_id]

    @cached_property
    def _labelled(self) -> dict[str, list[dict[str, str]]]:
        by_id, labelled = self.by_id, defaultdict(list)
        for label in self.labels:
            labelled[label["pattern_id"]].append(by_id[label["tx_id"]])
        return labelled


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("world")
    world = simulate(SEED, DAYS)
    write(world, folder)
    registry = [
        REGISTRY_RECORD.validate_json(line)
        for path in sorted((folder / "registry").glob("*.ndjson"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    names = ("transactions", "labels", "patterns", "accounts", "balances")
    tables = (read(folder / f"{name}.csv") for name in names)
    return Written(world, folder, *tables, registry)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the shared data is not at {folder}")
    return folder
