"""汇聚: many accounts, strangers until then, pay one and the same account within days.

With a registry everyday receivers are known, and a private account that more new payers than days begin
to pay within a week, more than in the rest of the month, amounts alike and large together, is suspect in
itself, flows.shape_rules. Without one the shape is everybody's: shops, landlords, collections
among friends. Then, and where fewer pay, what is suspect is who pays: at least four accounts that earlier
alerts named as part of a laundering shape begin to deal with one account within a month. Those four and
that account are the finding; its other payers are not.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiled import Int32s
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers
from services.detector.fans import Fan, Parameters
from services.detector.flows.shape_rules import pay_another
from services.detector.legs import Leg
from services.detector.typology import Step, Transfer


class FanIn(Fan):
    id = "fan_in"
    name = Bilingual(zh="资金汇聚", en="Fan-in")
    parameters = Parameters
    inward = True

    def hubs(self, step: Step) -> Int32s:
        return step.applied.dst

    def hub(self, transfer: Transfer) -> int:
        return transfer.dst

    def legs(self, strangers: Strangers, hub: int) -> list[Leg]:
        return strangers.into(hub)

    def other(self, leg: Leg) -> int:
        return leg.src

    def is_layer(self, strangers: Strangers, others: Sequence[int], transfer: Transfer) -> bool:
        return pay_another(strangers, set(others) - {transfer.src}, transfer.dst)

    def what(self, count: int) -> Bilingual:
        return Bilingual(
            zh=f"{count} 个此前无往来的账户向同一账户付款",
            en=f"{count} who were strangers to it paid one and the same account",
        )

    def what_named(self, count: int) -> Bilingual:
        return Bilingual(
            zh=f"{count} 个曾被预警的账户向同一账户付款",
            en=f"{count} accounts named by earlier alerts paid one and the same account",
        )
