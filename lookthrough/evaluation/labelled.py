"""A labelled data set on disk, in the documented layout (docs/evaluation.md). ".gz" is unpacked."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookthrough.files import Directory
from schemas.errors import InvalidInput
from schemas.instant import to_micros

IGNORED_SOURCE: Final = "recovered_membership"
"""Patterns whose members were guessed afterwards: neither right nor wrong."""
_SHAPES: Final = frozenset(
    {"fan_in", "fan_out", "gather_scatter", "scatter_gather", "bipartite", "stack", "pass_through"}
)
_ALSO: Final = dict.fromkeys(_SHAPES, _SHAPES) | {"cycle": frozenset({"round_tripping", "self_lending"})}
"""What a pattern is besides, in a set that does not say: the plain shapes are parts of one another."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Transfers that belong together: misconduct, or an honest business that looks like it.

    typology       what it is; of an honest one, its name
    also           other typologies that the same conduct truthfully is
    care           clumsy, ordinary or careful; "" where the set does not say
    complete       its transfers really have the shape
    detectable_us  when enough of it had happened to prove it
    amount         major units of its currency, for weighing only
    main_account   token in hex; "" where the set names none
    """

    pattern_id: str
    typology: str
    variant: str
    care: str
    also: frozenset[str]
    illicit: bool
    complete: bool
    ignored: bool
    first_us: int
    last_us: int
    detectable_us: int
    amount: float
    main_account: str
    transfers: frozenset[str]

    def is_found_as(self, typology: str) -> bool:
        return typology == self.typology or typology in self.also


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """One data set. The patterns that a transfer belongs to, and those an account is the main one of."""

    folder: Path
    patterns: tuple[Pattern, ...]
    by_transfer: Mapping[str, tuple[Pattern, ...]]
    by_main_account: Mapping[str, tuple[Pattern, ...]]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def registry(self) -> Path | None:
        folder = self.folder / "registry"
        return folder if folder.is_dir() else None


def read(folder: Path) -> LabelledSet:
    """Raises InvalidInput naming the file and what is wrong with it. Blocks."""
    tokens = Directory()
    transfers: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(_file(folder, "labels.csv"), ("tx_id", "pattern_id")):
        transfers[row["pattern_id"]].add(row["tx_id"])
    needed = ("pattern_id", "pattern_type", "is_illicit", "first_ts", "last_ts")
    patterns = tuple(
        _pattern(row, frozenset(transfers[row["pattern_id"]]), tokens)
        for row in _rows(_file(folder, "patterns.csv"), needed)
        if row.get("n_tx") != "0"
    )
    by_transfer: defaultdict[str, list[Pattern]] = defaultdict(list)
    by_account: defaultdict[str, list[Pattern]] = defaultdict(list)
    for pattern in patterns:
        for transfer in pattern.transfers:
            by_transfer[transfer].append(pattern)
        by_account[pattern.main_account].append(pattern)
    return LabelledSet(
        folder,
        patterns,
        {transfer: tuple(of) for transfer, of in by_transfer.items()},
        {account: tuple(of) for account, of in by_account.items() if account},
    )


def transactions_of(folder: Path) -> Path:
    """Raises InvalidInput where it holds none."""
    return _file(folder, "transactions.csv")


def _pattern(row: dict[str, str], transfers: frozenset[str], tokens: Directory) -> Pattern:
    kind = row["pattern_type"]
    also = row.get("also")
    main_account = row.get("main_account", "")
    return Pattern(
        pattern_id=row["pattern_id"],
        typology=kind,
        variant=row.get("variant", ""),
        care=row.get("care", ""),
        also=_ALSO.get(kind, frozenset()) if also is None else frozenset(also.split(";")) - {""},
        illicit=row["is_illicit"] == "1",
        complete=row.get("shape_ok", "1") == "1",
        ignored=row.get("label_source") == IGNORED_SOURCE,
        first_us=to_micros(row["first_ts"]),
        last_us=to_micros(row["last_ts"]),
        detectable_us=to_micros(row.get("detectable_ts") or row["last_ts"]),
        amount=float(row.get("total_amount") or 0),
        main_account=tokens.account(main_account).hex() if main_account else "",
        transfers=transfers,
    )


def _file(folder: Path, name: str) -> Path:
    """`name`, or its packed form. Raises InvalidInput where there is neither."""
    for file in (folder / name, folder / f"{name}.gz"):
        if file.exists():
            return file
    raise InvalidInput(f"{folder} holds no {name}; `lookthrough simulate` writes a labelled set")


def _rows(file: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", newline="") as text:
        table = csv.DictReader(text)
        missing = set(needed) - set(table.fieldnames or ())
        if missing:
            raise InvalidInput(f"{file} has no column {', '.join(sorted(missing))}")
        yield from table
