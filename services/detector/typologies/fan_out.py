"""分散: one account pays several that were strangers until then and that earlier alerts named.

By itself the shape is everybody's: payroll, rent, gifts. What is suspect is who is paid: one account
begins to deal, within a month, with at least four accounts that earlier alerts named as part of a
laundering shape. Those four and that account are the finding; its other payees are not.
"""

from __future__ import annotations

from schemas.record import Bilingual
from services.detector.fans import Fan, Parameters
from services.detector.graph import Shape
from services.detector.graph.kernel import Int32s
from services.detector.legs import Leg
from services.detector.strangers import Strangers
from services.detector.typology import Step, Transfer


class FanOut(Fan):
    id = "fan_out"
    name = Bilingual(zh="资金分散", en="Fan-out")
    parameters = Parameters
    shape = Shape.fan_out
    shapes = frozenset({Shape.fan_out})

    def hubs(self, step: Step) -> Int32s:
        return step.applied.src

    def hub(self, transfer: Transfer) -> int:
        return transfer.src

    def legs(self, strangers: Strangers, hub: int) -> list[Leg]:
        return strangers.out_of(hub)

    def other(self, leg: Leg) -> int:
        return leg.dst

    def what(self, count: int) -> Bilingual:
        return Bilingual(
            zh=f"同一账户向 {count} 个曾被预警的账户付款",
            en=f"one account paid {count} accounts named by earlier alerts",
        )
