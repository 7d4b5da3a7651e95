"""Statements of balances in: read, checked, tokenised, sent where their account's institutions are.

CSV has a header of FIELDS in any order; `balance` is signed, in major units, and `kind` is booked or
clients. NDJSON is one schemas.balance record a line, with clear account numbers. Nothing remembers what
was pushed: a statement that is sent again says the same, and one that says otherwise corrects it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, Final

from pydantic import ValidationError

from schemas.account import OUTSIDE
from schemas.balance import Balance, BalanceKind
from schemas.currency import to_minor
from schemas.errors import InvalidRecord, MalformedBatch
from schemas.feed import Count
from schemas.instant import to_micros, to_rfc3339
from schemas.record import Record, content_id
from schemas.registry import Feed
from services.ingest.body import Body
from services.ingest.columns import check_text
from services.ingest.formats.blocks import BOM, LongLine, blocks, lines, read_block
from services.ingest.formats.csv import rows
from services.ingest.formats.parsed import Stated
from services.ingest.metrics import Metrics
from services.ingest.normalise import Bad
from services.ingest.outlet import Outlet
from services.ingest.registration import NAMED_REJECTS, RejectedLine
from services.ingest.rejects import KeyedReject, Origin, rejects_of
from services.ingest.tokens import Tokeniser

FIELDS: Final = ("account", "as_of", "kind", "balance", "currency")
GROUP_RECORDS: Final = 5_000
"""How many are made durable together."""

HEAD_BYTES: Final = 4096
_LONGEST: Final = 128
_KINDS: Final = {kind.value: kind for kind in BalanceKind}
_MARK = re.compile(rb'"(?:balance_kind|balance_minor)"')

Read = tuple[int, bytes, Stated | Balance | InvalidRecord]
"""Number from 1, the bytes, and what they say."""


class BalancesReceipt(Record):
    """What became of a push of balances. `rejects` names the first 100 of `rejected`."""

    records: Count = 0
    accepted: Count = 0
    rejected: Count = 0
    rejects: tuple[RejectedLine, ...] = ()

    def and_then(self, later: BalancesReceipt) -> BalancesReceipt:
        return BalancesReceipt(
            records=self.records + later.records,
            accepted=self.accepted + later.accepted,
            rejected=self.rejected + later.rejected,
            rejects=(*self.rejects, *later.rejects)[:NAMED_REJECTS],
        )


def origin_of(origin: Origin) -> Origin:
    """The origin of the balances in the batch of `origin`: their rejects are numbered by themselves, and
    none of them is a record that could be repaired as one of the batch."""
    batch_id = content_id(origin.feed_id, "balances", origin.batch_id)
    return Origin(origin.feed_id, batch_id, origin.digest, origin.received_us)


def is_balances(head: bytes) -> bool:
    """Whether a file that begins so holds balances and not transactions."""
    first = head.removeprefix(BOM).lstrip().partition(b"\n")[0]
    if first.startswith(b"{"):
        return _MARK.search(first) is not None
    names = {name.strip().strip(b'"').decode("utf-8", "replace") for name in first.split(b",")}
    return names == set(FIELDS)


def read(stream: BinaryIO, head: bytes) -> Iterator[Read]:
    """The statements of a CSV or NDJSON stream that begins with `head`, good and bad. Raises MalformedBatch
    for a CSV header that is not FIELDS."""
    if head.removeprefix(BOM).lstrip().startswith(b"{"):
        return _of_lines(chain([read_block(stream).removeprefix(BOM)], blocks(stream)))
    return _of_rows(stream)


def checked(said: Stated | Balance | InvalidRecord, tokens: Tokeniser, latest_us: int) -> Balance:
    """The statement with its account as a token. Raises InvalidRecord naming the field that is wrong, in
    the words of what was read; so is one as of after `latest_us`."""
    if isinstance(said, InvalidRecord):
        raise said
    balance = _of_text(said) if isinstance(said, Stated) else said
    account = "account" if isinstance(said, Stated) else "account_id"
    check_text(account, balance.account_id)
    if balance.as_of > latest_us:
        raise InvalidRecord("as_of", f"is in the future, after {to_rfc3339(latest_us)}")
    to_minor("0", balance.currency)
    token = tokens.account(balance.account_id)
    if token == OUTSIDE:
        raise InvalidRecord(account, "names the outside world, which is not an account")
    return balance.model_copy(update={"account_id": token.hex()})


class Statements:
    """Takes pushes of balances. Safe to use from several threads."""

    def __init__(
        self, tokens: Tokeniser, outlet: Outlet, metrics: Metrics, clock: Callable[[], int], ahead_us: int
    ) -> None:
        """`ahead_us`: how far past the clock a statement may be."""
        self._tokens = tokens
        self._outlet = outlet
        self._metrics = metrics
        self._clock = clock
        self._ahead_us = ahead_us

    def take(self, feed: Feed, body: Body) -> BalancesReceipt:
        """Bad ones are kept as rejects; the others go on. Blocks. Raises MalformedBatch, and Unavailable:
        what came before the group that failed is in, and pushing all of it again is harmless."""
        received_us = self._clock()
        batch = Origin(feed.feed_id, content_id(feed.feed_id, body.digest), body.digest, received_us)
        receipt = BalancesReceipt()
        with body.open() as stream:
            said = read(stream, body.head(HEAD_BYTES))
            while group := list(islice(said, GROUP_RECORDS)):
                receipt = receipt.and_then(self._take(origin_of(batch), group))
        self._metrics.balances(feed.feed_id, receipt.accepted, receipt.rejected)
        return receipt

    def _take(self, origin: Origin, group: Sequence[Read]) -> BalancesReceipt:
        good: list[Balance] = []
        named: list[RejectedLine] = []
        rejects: list[KeyedReject] = []
        for number, raw, said in group:
            try:
                good.append(checked(said, self._tokens, origin.received_us + self._ahead_us))
            except InvalidRecord as error:
                kept = list(rejects_of(origin, Bad(number, "", error.field, error.reason, raw)))
                rejects += kept
                reject_id = kept[0].reject_id.decode()
                named.append(
                    RejectedLine(line=number, field=error.field, reason=error.reason, reject_id=reject_id)
                )
        with self._outlet:
            self._outlet.balances(origin.feed_id, good)
            self._outlet.rejects(rejects)
            self._outlet.flush()
        return BalancesReceipt(
            records=len(group), accepted=len(good), rejected=len(named), rejects=tuple(named[:NAMED_REJECTS])
        )


def _of_text(said: Stated) -> Balance:
    if not 0 < len(said.account) <= _LONGEST:
        raise InvalidRecord("account", f"has {len(said.account)} characters; it may have 1 to {_LONGEST}")
    if said.kind not in _KINDS:
        raise InvalidRecord("kind", f"{said.kind[:40]!r} is not one of {', '.join(_KINDS)}")
    try:
        as_of = to_micros(said.as_of)
    except InvalidRecord as error:
        raise InvalidRecord("as_of", error.reason) from None
    try:
        minor = to_minor(said.balance.removeprefix("-"), said.currency)
    except InvalidRecord as error:
        raise InvalidRecord("currency" if error.field == "currency" else "balance", error.reason) from None
    return Balance(
        account_id=said.account,
        as_of=as_of,
        balance_kind=_KINDS[said.kind],
        balance_minor=-minor if said.balance.startswith("-") else minor,
        currency=said.currency,
    )


def _of_lines(text: Iterable[bytes]) -> Iterator[Read]:
    written = (line for line in lines(text) if isinstance(line, LongLine) or line.strip())
    for number, line in enumerate(written, 1):
        if isinstance(line, LongLine):
            yield number, line.kept, InvalidRecord("", line.reason)
            continue
        try:
            yield number, line, Balance.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            yield number, line, InvalidRecord(".".join(map(str, first["loc"])), first["msg"])


def _of_rows(stream: BinaryIO) -> Iterator[Read]:
    found = rows(stream)
    header = next(found, None)
    if header is None or header.error or sorted(header.fields) != sorted(FIELDS):
        raise MalformedBatch(f"not balances: NDJSON, or CSV with the columns {', '.join(FIELDS)}")
    for number, row in enumerate(found, 1):
        if row.error or len(row.fields) != len(FIELDS):
            wrong = row.error or f"{len(row.fields)} fields; the header has {len(FIELDS)}"
            yield number, row.raw, InvalidRecord("", wrong)
        else:
            yield number, row.raw, Stated(row.raw, **dict(zip(header.fields, row.fields, strict=True)))
