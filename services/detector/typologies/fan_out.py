"""分散: one account pays many, strangers until then, within days.

With a registry everyday payers and receivers are known, and a private account that begins to pay more new
ones than days within a week, more than in the rest of the month, amounts alike and large together, is
suspect in itself, flows.shape_rules. Without one the shape is everybody's: payroll, rent,
gifts. Then, and where fewer are paid, what is suspect is who is paid: one account begins to deal, within a
month, with at least four accounts that earlier alerts named as part of a laundering shape. Those four and
that account are the finding; its other payees are not.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiled import Int32s
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers
from services.detector.fans import Fan, Parameters
from services.detector.flows.shape_rules import are_paid_by_another
from services.detector.legs import Leg
from services.detector.typology import Step, Transfer


class FanOut(Fan):
    id = "fan_out"
    name = Bilingual(zh="资金分散", en="Fan-out")
    parameters = Parameters
    inward = False

    def hubs(self, step: Step) -> Int32s:
        return step.applied.src

    def hub(self, transfer: Transfer) -> int:
        return transfer.src

    def legs(self, strangers: Strangers, hub: int) -> list[Leg]:
        return strangers.out_of(hub)

    def other(self, leg: Leg) -> int:
        return leg.dst

    def is_layer(self, strangers: Strangers, others: Sequence[int], transfer: Transfer) -> bool:
        return are_paid_by_another(strangers, others, transfer.src)

    def what(self, count: int) -> Bilingual:
        return Bilingual(
            zh=f"同一账户向 {count} 个此前无往来的账户付款",
            en=f"one account paid {count} who were strangers to it",
        )

    def what_named(self, count: int) -> Bilingual:
        return Bilingual(
            zh=f"同一账户向 {count} 个曾被预警的账户付款",
            en=f"one account paid {count} accounts named by earlier alerts",
        )
