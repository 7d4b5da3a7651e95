"""Transactions as the columns of schemas.batch.SCHEMA, and what makes a single one invalid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.account import OUTSIDE_NAMES, TOKEN_BYTES
from schemas.batch import SCHEMA
from schemas.currency import decimals_of, to_minor
from schemas.errors import InvalidRecord
from schemas.instant import MIN_INSTANT, to_micros, to_rfc3339
from schemas.transaction import Purpose, Transaction
from services.ingest.tokens import Tokeniser

TEXTS: Final = (
    "tx_id", "src", "dst", "channel", "src_bank", "dst_bank", "product", "instruction", "reversal_of"
)  # fmt: skip

_PURPOSES: Final = {"": int(Purpose.unknown), **{purpose.name: int(purpose) for purpose in Purpose}}
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates."""

Int64s = NDArray[np.int64]


def check(transaction: Transaction, latest_us: int) -> None:
    """Raises InvalidRecord naming the first field that is wrong."""
    for field in TEXTS:
        check_text(field, getattr(transaction, field))
    if to_minor(transaction.amount, transaction.currency) == 0:
        raise InvalidRecord("amount", "nothing is moved: it is zero")
    if to_micros(transaction.ts) > latest_us:
        raise InvalidRecord("ts", f"{transaction.ts!r} is in the future, after {to_rfc3339(latest_us)}")
    if transaction.purpose not in _PURPOSES:
        raise InvalidRecord("purpose", f"{transaction.purpose!r} is not a purpose")
    _check_ends([transaction.src], [transaction.dst])


def columns_of(
    transactions: Sequence[Transaction], tokens: Tokeniser, latest_us: int
) -> tuple[pa.RecordBatch, Decimal]:
    """The columns and the sum of the amounts in major units.

    Raises InvalidRecord when any transaction is one that `check` refuses, without saying which.
    """
    ids = [t.tx_id for t in transactions]
    sources = [t.src for t in transactions]
    targets = [t.dst for t in transactions]
    instructions = [t.instruction for t in transactions]
    reversals = [t.reversal_of for t in transactions]
    for texts in (ids, sources, targets, instructions, reversals):
        check_text("", "".join(texts))
    _check_ends(sources, targets)
    currencies = [t.currency for t in transactions]
    minor, total = _minor([t.amount for t in transactions], currencies)
    arrays: dict[str, Any] = {
        "tx_id": pa.array(ids, pa.string()),
        "ts_us": pa.array(_micros([t.ts for t in transactions], latest_us)),
        "src": _token_array(tokens.accounts(sources)),
        "dst": _token_array(tokens.accounts(targets)),
        "amount_minor": pa.array(minor),
        "currency": _coded("currency", currencies),
        "purpose": _purposes([t.purpose for t in transactions]),
        "product": _coded("product", [t.product for t in transactions]),
        "channel": _coded("channel", [t.channel for t in transactions]),
        "src_bank": _coded("src_bank", [t.src_bank for t in transactions]),
        "dst_bank": _coded("dst_bank", [t.dst_bank for t in transactions]),
        "instruction": pa.array(instructions, pa.string()),
        "reversal_of": pa.array(reversals, pa.string()),
    }
    return pa.RecordBatch.from_arrays([arrays[name] for name in SCHEMA.names], schema=SCHEMA), total


def _check_ends(sources: Sequence[str], targets: Sequence[str]) -> None:
    if OUTSIDE_NAMES.isdisjoint(sources) or OUTSIDE_NAMES.isdisjoint(targets):
        return
    if any(src in OUTSIDE_NAMES and dst in OUTSIDE_NAMES for src, dst in zip(sources, targets, strict=True)):
        raise InvalidRecord("dst", "payer and payee are both outside: no account is touched")


def check_text(field: str, text: str) -> None:
    """Raises InvalidRecord when `text` holds a character that no field may hold."""
    if not text.isprintable() and (found := _FORBIDDEN.search(text)):
        raise InvalidRecord(field, f"holds the character U+{ord(found[0]):04X}")


def _minor(amounts: list[str], currencies: list[str]) -> tuple[Int64s, Decimal]:
    """Minor units of each amount, and their sum in major units."""
    kinds = set(currencies)
    for currency in kinds:
        decimals_of(currency)
    plain = _plain_decimals(amounts, decimals_of(currencies[0])) if len(kinds) == 1 else None
    minor = (
        np.fromiter(map(to_minor, amounts, currencies), np.int64, len(amounts)) if plain is None else plain
    )
    if len(minor) and minor.min() <= 0:
        raise InvalidRecord("amount", "nothing is moved: it is zero")
    total = Decimal(0)
    if len(kinds) == 1:
        total = Decimal(sum(minor.tolist())).scaleb(-decimals_of(currencies[0]))
    else:
        total = sum(map(Decimal, amounts), total)
    return minor, total


def _plain_decimals(amounts: list[str], decimals: int) -> Int64s | None:
    """Arrow's exact decimals of amounts that leave no room for what it reads and to_minor does not: signs,
    exponents, a bare ".", many digits. None: some do, or have too many decimals."""
    joined = ",".join(amounts)
    digits = joined.replace(",", "").replace(".", "")
    if not (joined.isascii() and digits.isdigit()) or ",." in joined or joined.startswith("."):
        return None
    if max(map(len, amounts)) > 18 - decimals:
        return None
    try:
        exact = pa.array(amounts, pa.string()).cast(pa.decimal128(38, decimals))
    except pa.ArrowInvalid:
        return None
    return np.frombuffer(exact.buffers()[1], np.dtype("<i8"))[::2]


def _micros(texts: list[str], latest_us: int) -> Int64s:
    micros = _zulu_micros(texts)
    if micros is None:
        micros = np.fromiter(map(to_micros, texts), np.int64, len(texts))
    if len(micros) and not MIN_INSTANT <= micros.min() <= micros.max() <= latest_us:
        raise InvalidRecord("ts", "before 1970 or in the future")
    return micros


def _zulu_micros(texts: list[str]) -> Int64s | None:
    """Arrow's reading of 2024-01-02T03:04:05Z and 2024-01-02T03:04:05+08:00, the forms that it and to_micros
    read alike. None: some are of another form."""
    lengths = set(map(len, texts))
    if lengths != {20} and not (lengths == {25} and all(text[22] == ":" for text in texts)):
        return None
    try:
        moments = pa.array(texts, pa.string()).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return None
    micros: Int64s = moments.cast(pa.int64()).to_numpy()
    return micros


def _purposes(names: list[str]) -> Any:
    try:
        return pa.array([_PURPOSES[name] for name in names], pa.int8())
    except KeyError as error:
        raise InvalidRecord("purpose", f"{error.args[0]!r} is not a purpose") from None


def _coded(name: str, texts: list[str]) -> Any:
    distinct = set(texts)
    check_text(name, "".join(distinct))
    kind = SCHEMA.field(name).type
    if len(distinct) != 1:
        return pa.array(texts, kind)
    codes = pa.array(np.zeros(len(texts), np.int32)).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(codes, pa.array(texts[:1], kind.value_type))


def _token_array(tokens: list[bytes]) -> Any:
    buffer = pa.py_buffer(b"".join(tokens))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(TOKEN_BYTES), len(tokens), [None, buffer])
