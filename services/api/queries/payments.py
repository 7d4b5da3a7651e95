"""Payments of accounts: `transactions` in the order of the payer, `transactions_by_dst` of the payee."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.alert import EvidenceNode, Limit
from schemas.errors import Unknown
from schemas.instant import DAY, MAX_INSTANT
from schemas.registry import Account
from schemas.transaction import Purpose
from services.api.answers import Trace, TracedPayment, TraceEnd
from services.api.inquiry import Inquiry
from services.api.parameters import TraceParameters
from services.api.tracing import OUTSIDE_TOKEN, End, Payment, Traced, backward, forward

_COLUMNS: Final = "SELECT ts_us, feed_id, tx_id, src, dst, amount_minor, purpose"
_CHOSEN: Final = """
    AND ts_us >= %(from_us)s AND ts_us < %(to_us)s AND currency = %(currency)s AND src != dst
    AND (%(all_feeds)s OR feed_id IN %(feeds)s) AND (%(tx_id)s = '' OR tx_id = %(tx_id)s)
"""
_OUT: Final = f"""{_COLUMNS}
FROM transactions FINAL
WHERE src IN %(accounts)s {_CHOSEN}
ORDER BY src, ts_us, feed_id, tx_id
LIMIT %(each)s BY src
LIMIT %(limit)s
"""
_IN: Final = f"""{_COLUMNS}
FROM transactions_by_dst FINAL
WHERE dst IN %(accounts)s {_CHOSEN}
ORDER BY dst, ts_us, feed_id, tx_id
LIMIT %(each)s BY dst
LIMIT %(limit)s
"""
_ACCOUNTS: Final = """
SELECT account_id, body
FROM registry FINAL
WHERE kind = 'account' AND account_id IN %(accounts)s
    AND valid_from_us <= %(at_us)s AND valid_to_us > %(at_us)s
ORDER BY account_id, key
LIMIT 1 BY account_id
"""


MAX_ASKED: Final = 1_000
"""Payments of the account that one trace follows, the earliest."""
MAX_SHOWN: Final = 2_000
"""Payments that an answer holds, the largest; and as many ends."""


def trace(inquiry: Inquiry, account: str, asked: TraceParameters) -> Trace:
    """Raises Unknown when the account has no such payment that the caller may read."""
    outward = asked.direction == "forward"
    own = PaymentLedger(inquiry, asked.currency, asked.paid_from, asked.paid_to, asked.tx_id or "")
    first = (own.out_of if outward else own.into)([account], MAX_ASKED + 1, MAX_ASKED + 1)
    if not first:
        raise Unknown(
            f"no payment {'out of' if outward else 'into'} this account in {asked.currency} in that "
            "period, or none that you may see; widen paid_from and paid_to, or turn `direction` round"
        )
    limits = [Limit(name="asked", bound=MAX_ASKED)] if len(first) > MAX_ASKED else []
    first, span_us = first[:MAX_ASKED], asked.days * DAY
    from_us = max(0, first[0].ts_us - (0 if outward else span_us))
    to_us = min(MAX_INSTANT, first[-1].ts_us + (span_us if outward else 0) + 1)
    ledger = PaymentLedger(inquiry, asked.currency, from_us, to_us)
    found = (forward if outward else backward)(ledger, first, asked.legs, asked.hub, asked.attribution)
    ends, payments = found.ends[:MAX_SHOWN], _largest(found)
    if len(ends) < len(found.ends) or len(payments) < len(found.carried_minor):
        limits.append(Limit(name="shown", bound=MAX_SHOWN))
    nodes = known(inquiry, [end.account for end in ends], to_us - 1)
    return Trace(
        account=account,
        direction=asked.direction,
        attribution=asked.attribution,
        currency=asked.currency,
        from_at=from_us,
        to_at=to_us,
        asked_minor=found.asked_minor,
        ends=tuple(_end(end, nodes[end.account]) for end in ends),
        payments=tuple(_payment(row, found.carried_minor[row]) for row in payments),
        limits=(*limits, *found.limits),
    )


def _largest(found: Traced) -> list[Payment]:
    """Those that carried most, where that is known, else the largest; in the order of time."""
    carried = found.carried_minor
    return sorted(sorted(carried, key=lambda row: (-(carried[row] or row.amount_minor), row))[:MAX_SHOWN])


def _end(end: End, node: EvidenceNode) -> TraceEnd:
    return TraceEnd(**node.model_dump(), amount_minor=end.amount_minor, kind=end.kind)


def _payment(payment: Payment, carried_minor: int | None) -> TracedPayment:
    return TracedPayment(
        tx_id=payment.tx_id,
        feed_id=payment.feed_id,
        src=payment.src,
        dst=payment.dst,
        ts=payment.ts_us,
        amount_minor=payment.amount_minor,
        carried_minor=carried_minor,
        purpose=Purpose(payment.purpose).name,
    )


@dataclass(frozen=True, slots=True)
class PaymentLedger:
    """A services.api.tracing.Ledger: payments of [from_us, to_us) in `currency`, of the feeds that the
    caller may read, and only `tx_id` where one is named."""

    inquiry: Inquiry
    currency: str
    from_us: int
    to_us: int
    tx_id: str = ""

    def out_of(self, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]:
        return self._query(_OUT, accounts, each, limit)

    def into(self, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]:
        return self._query(_IN, accounts, each, limit)

    def _query(self, sql: str, accounts: Collection[str], each: int, limit: int) -> Sequence[Payment]:
        found = self.inquiry.query(
            sql,
            accounts=tuple(accounts),
            from_us=self.from_us,
            to_us=self.to_us,
            currency=self.currency,
            tx_id=self.tx_id,
            each=each,
            limit=limit,
        )
        return [Payment(*row) for row in found]


def known(inquiry: Inquiry, accounts: Collection[str], at_us: int) -> dict[str, EvidenceNode]:
    """What the registry says of each account at `at_us`: role "unknown" where that is nothing."""
    found = inquiry.query(_ACCOUNTS, accounts=tuple(accounts) or ("",), at_us=at_us)
    registered = {token: Account.model_validate_json(body) for token, body in found}
    return {token: _node(token, registered.get(token)) for token in accounts}


def _node(token: str, account: Account | None) -> EvidenceNode:
    if account is None:
        return EvidenceNode(account=token, role="outside" if token == OUTSIDE_TOKEN else "unknown")
    return EvidenceNode(
        account=token,
        role=account.role.value,
        party_id=account.party_id,
        institution_id=account.institution_id,
    )
