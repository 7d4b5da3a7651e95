"""A bank's payments into a reserve of which the institution takes the same amounts over for itself."""

from __future__ import annotations

from collections import deque

from schemas.alert import EvidenceEdge


class Rebates:
    """Of one account in one currency; `most` of each kind are kept.

    credits  payments that were taken over, the oldest first
    taken    for each of them the transfer to the institution's own account
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[EvidenceEdge] = deque(maxlen=most)
        self.credits: list[EvidenceEdge] = []
        self.taken: list[EvidenceEdge] = []

    def come(self, credit: EvidenceEdge) -> None:
        self._waiting.append(credit)

    def take_over(self, own: EvidenceEdge, since_us: int, kept_us: int) -> bool:
        """Whether `own` takes over a payment of its amount that came since `since_us`. Pairs older than
        `kept_us` are forgotten."""
        for credit in self._waiting:
            if credit.amount_minor == own.amount_minor and credit.ts >= since_us:
                self._waiting.remove(credit)
                pairs = [(credit, own), *zip(self.credits, self.taken, strict=True)]
                pairs = [pair for pair in pairs if pair[0].ts >= kept_us]
                pairs = sorted(pairs, key=lambda pair: pair[0].ts)[-self._most :]
                self.credits, self.taken = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
                return True
        return False
