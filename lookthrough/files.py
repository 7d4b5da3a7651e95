"""Files of transactions, balances and registry records, read offline, in the formats and with the checks
of a feed."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from schemas.balance import Balance
from schemas.errors import InvalidInput, InvalidRecord, MalformedBatch
from schemas.instant import MAX_INSTANT
from schemas.registry import RegistryRecord
from services.ingest import statements
from services.ingest.formats import format_named, guess
from services.ingest.formats.parsed import Item, Parsed, Stated
from services.ingest.normalise import Bad, Normalised, normalise
from services.ingest.registration import record_of, tokenised
from services.ingest.tokens import Tokeniser

Progress = Callable[[int], None]
"""Told the number of bytes just read."""

TakeBalance = Callable[[Balance | Bad], None]

# Nothing is hidden offline: the analyst's own account numbers are written back into the alerts. A
# fixed key makes the tokens, and so the alert ids, a function of the input alone.
_KEY: Final = b"lookthrough offline detection"
_TOKEN: Final = re.compile(r"\b[0-9a-f]{32}\b")


class Directory(Tokeniser):
    """A tokeniser that can say which account number a token stands for."""

    def __init__(self) -> None:
        super().__init__(_KEY)
        self._numbers: dict[bytes, str] = {}

    def account(self, number: str) -> bytes:
        token = super().account(number)
        self._numbers[token] = number
        return token

    def accounts(self, numbers: Iterable[str]) -> list[bytes]:
        listed = list(numbers)
        tokens = super().accounts(listed)
        self._numbers.update(zip(tokens, listed, strict=True))
        return tokens

    def reveal(self, text: str) -> str:
        """JSON `text` with each known token replaced by its account number."""

        def number_of(match: re.Match[str]) -> str:
            number = self._numbers.get(bytes.fromhex(match[0]))
            return match[0] if number is None else msgspec.json.encode(number).decode()[1:-1]

        return _TOKEN.sub(number_of, text)


def read_transactions(
    file: Path, directory: Directory, progress: Progress, besides: TakeBalance = lambda _: None
) -> Iterator[Normalised]:
    """The records of one file, good and bad, some thousands at a time. ".gz" is unpacked. `besides` is
    given the balances that a statement holds besides its records.

    Raises InvalidInput naming the file when it cannot be read or its format told.
    """
    try:
        with file.open("rb") as raw, _unpacked(_Counted(raw, progress), file) as stream:
            name = guess(stream.peek(4096), file.name.removesuffix(".gz"))
            if name is None:
                raise MalformedBatch("neither JSON, CSV nor an ISO 20022 message that is read here")
            items = format_named(name).parse(stream)
            yield from normalise(_records_of(items, directory, besides), directory, MAX_INSTANT)
    except MalformedBatch as error:
        raise MalformedBatch(f"{file}: {error}") from None
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{file}: {error}") from None


def _records_of(items: Iterable[Item], directory: Directory, besides: TakeBalance) -> Iterator[Parsed]:
    number = 0
    for item in items:
        if isinstance(item, Parsed):
            yield item
        elif isinstance(item, Stated):
            number += 1
            besides(_balance(number, item.raw, item, directory))


def read_balances(file: Path, directory: Directory) -> Iterator[Balance | Bad]:
    """The statements of a file of balances (services.ingest.statements), in its order. Raises InvalidInput
    naming the file when it cannot be read."""
    try:
        with file.open("rb") as stream:
            for number, raw, said in statements.read(stream, stream.peek(statements.HEAD_BYTES)):
                yield _balance(number, raw, said, directory)
    except MalformedBatch as error:
        raise MalformedBatch(f"{file}: {error}") from None
    except OSError as error:
        raise InvalidInput(f"{file}: {error}") from None


def _balance(
    number: int, raw: bytes, said: Stated | Balance | InvalidRecord, directory: Directory
) -> Balance | Bad:
    try:
        return statements.checked(said, directory, MAX_INSTANT)
    except InvalidRecord as error:
        return Bad(number, "", error.field, error.reason, raw)


def read_registry(folder: Path, directory: Directory) -> list[RegistryRecord]:
    """Every record of the folder's *.ndjson files, tokenised. Raises InvalidInput naming file and line."""
    files = sorted(folder.glob("*.ndjson"))
    if not files:
        raise InvalidInput(f"{folder} holds no *.ndjson file; `lookthrough simulate` writes an example")
    return [record for file in files for record in _records(file, directory)]


def _records(file: Path, directory: Directory) -> Iterator[RegistryRecord]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield tokenised(record_of(line), directory)
                except InvalidRecord as error:
                    raise InvalidInput(f"{file}, line {number}: {error}") from None


def _unpacked(counted: io.RawIOBase, file: Path) -> io.BufferedReader:
    if file.suffix == ".gz":
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=io.BufferedReader(counted))))
    return io.BufferedReader(counted)


class _Counted(io.RawIOBase):
    """`raw`, telling `progress` how many bytes were read of it."""

    def __init__(self, raw: BinaryIO, progress: Progress) -> None:
        self._raw = raw
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._progress(len(data))
        return len(data)
