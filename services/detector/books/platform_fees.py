"""What each platform has disbursed, and the fees it has taken, since the log began."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.legs import Leg
from services.detector.parties.entities import CLIENT_MONEY, OWN_MONEY, Entities

_WHOLE: Final = 10_000
_FEE: Final = frozenset({AccountRole.fee})
_CUSTODY: Final = frozenset({AccountRole.custody})


class _Account(NamedTuple):
    since_us: int
    disbursed_minor: int
    taken_minor: int


class PlatformFees:
    """By institution and currency. A filed fee is a rate of what was disbursed (Institution.fee_rate_bp)."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, int], _Account] = {}

    def count(self, entities: Entities, leg: Leg, now_us: int) -> None:
        """Take in a disbursement out of custody, or a fee that a borrower pays; nothing else counts."""
        for institution_id in entities.served(leg.src, _CUSTODY):
            kept = self._account(institution_id, leg.currency, now_us)
            if _disburses(entities, leg):
                more = kept.disbursed_minor + leg.amount_minor
                self._of[institution_id, leg.currency] = kept._replace(disbursed_minor=more)
        if leg.purpose is Purpose.fee and not entities.roles(leg.src) & (CLIENT_MONEY | OWN_MONEY):
            for institution_id in entities.served(leg.dst, _FEE):
                self.take(institution_id, leg.currency, leg.amount_minor, now_us)

    def take(self, institution_id: str, currency: int, minor: int, now_us: int) -> None:
        kept = self._account(institution_id, currency, now_us)
        more = kept.taken_minor + minor
        self._of[institution_id, currency] = kept._replace(taken_minor=more)

    def left_minor(self, institution_id: str, currency: int, rate_bp: int, now_us: int) -> int:
        """What may still be taken; negative where more was."""
        kept = self._account(institution_id, currency, now_us)
        return kept.disbursed_minor * rate_bp // _WHOLE - kept.taken_minor

    def since_us(self, institution_id: str, currency: int, now_us: int) -> int:
        """When the log first showed anything of it."""
        return self._account(institution_id, currency, now_us).since_us

    def _account(self, institution_id: str, currency: int, now_us: int) -> _Account:
        return self._of.setdefault((institution_id, currency), _Account(now_us, 0, 0))


def _disburses(entities: Entities, leg: Leg) -> bool:
    """Said to be a disbursement; unsaid, paid to somebody who is neither a client nor the platform."""
    if leg.purpose is Purpose.unknown:
        return not entities.roles(leg.dst) & (CLIENT_MONEY | OWN_MONEY)
    return leg.purpose is Purpose.disburse
