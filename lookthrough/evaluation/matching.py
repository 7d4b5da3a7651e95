"""Which pattern an alert is about.

An alert is about a pattern when at least half of the transfers it shows belong to the pattern; or when
a tenth of them do and it names the pattern's main account as its subject's or shows at least half of
the pattern. So an alert that shows everything is about nothing. An alert that no transfer proves
(balances do) is about a pattern whose main account it names while the pattern goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lookthrough.evaluation.labelled import LabelledSet, Pattern
from schemas.alert import Alert
from schemas.instant import DAY

_MOST: Final = 0.5
_SOME: Final = 0.1
_AFTERWARDS_US: Final = 31 * DAY
"""How long after its last transfer a pattern may still be reported from balances."""


class Outcome(StrEnum):
    right = "right"
    misnamed = "misnamed"  # it shows misconduct, but of another typology
    look_alike = "look_alike"  # it shows an honest business that is labelled
    nothing = "nothing"  # nothing labelled
    ignored = "ignored"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """An alert and the patterns it is about, nearest first."""

    alert: Alert
    outcome: Outcome
    patterns: tuple[Pattern, ...]


def judge(alert: Alert, labelled: LabelledSet) -> Judged:
    about = _about(alert, labelled)
    illicit = [pattern for pattern in about if pattern.illicit]
    right = [one for one in illicit if one.is_found_as(alert.typology) and not one.ignored]
    if right:
        return Judged(alert, Outcome.right, tuple(right))
    if any(pattern.ignored for pattern in about):
        return Judged(alert, Outcome.ignored, ())
    if illicit:
        return Judged(alert, Outcome.misnamed, tuple(illicit))
    return Judged(alert, Outcome.look_alike if about else Outcome.nothing, tuple(about))


def _about(alert: Alert, labelled: LabelledSet) -> Sequence[Pattern]:
    # a set's order changes from run to run, and with it which of patterns equally near comes first
    shown = dict.fromkeys(edge.tx_id for edge in alert.evidence.edges)
    if not shown:
        named = (one for account in alert.accounts for one in labelled.by_main_account.get(account, ()))
        return [one for one in named if one.first_us <= alert.episode_at <= one.last_us + _AFTERWARDS_US]
    shared = Counter(one for transfer in shown for one in labelled.by_transfer.get(transfer, ()))
    return [one for one, count in shared.most_common() if _is_about(alert, one, count, len(shown))]


def _is_about(alert: Alert, pattern: Pattern, shared: int, shown: int) -> bool:
    if shared >= _MOST * shown:
        return True
    named = pattern.main_account in alert.accounts
    return shared >= _SOME * shown and (named or shared >= _MOST * len(pattern.transfers))
