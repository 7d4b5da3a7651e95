"""汇聚: several accounts, strangers until then and named by earlier alerts, pay one and the same account.

By itself the shape is everybody's: shops, landlords, collections among friends. What is suspect is who
pays: at least four accounts that earlier alerts named as part of a laundering shape begin to deal with
one account within a month. Those four and that account are the finding; its other payers are not.
"""

from __future__ import annotations

from schemas.record import Bilingual
from services.detector.fans import Fan, Parameters
from services.detector.graph import Shape
from services.detector.graph.kernel import Int32s
from services.detector.legs import Leg
from services.detector.strangers import Strangers
from services.detector.typology import Step, Transfer


class FanIn(Fan):
    id = "fan_in"
    name = Bilingual(zh="资金汇聚", en="Fan-in")
    parameters = Parameters
    shape = Shape.fan_in
    shapes = frozenset({Shape.fan_in})

    def hubs(self, step: Step) -> Int32s:
        return step.applied.dst

    def hub(self, transfer: Transfer) -> int:
        return transfer.dst

    def legs(self, strangers: Strangers, hub: int) -> list[Leg]:
        return strangers.into(hub)

    def other(self, leg: Leg) -> int:
        return leg.src

    def what(self, count: int) -> Bilingual:
        return Bilingual(
            zh=f"{count} 个曾被预警的账户向同一账户付款",
            en=f"{count} accounts named by earlier alerts paid one and the same account",
        )
