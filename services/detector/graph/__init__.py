"""The rolling account graph: apply batches, ask what is live, by event time, as of one row."""

from services.detector.graph.answers import Applied, Branches, Edges, Reached, Status
from services.detector.graph.graph import RollingGraph
from services.detector.graph.returning import Coming, Departing, Way
from services.detector.graph.shapes import Found, Hit, Shape, Shapes
from services.detector.graph.sums import Paid, Payees, Trade, Traded, Wanted
from services.detector.graph.window import Counters

__all__ = [
    "Applied",
    "Branches",
    "Coming",
    "Counters",
    "Departing",
    "Edges",
    "Found",
    "Hit",
    "Paid",
    "Payees",
    "Reached",
    "RollingGraph",
    "Shape",
    "Shapes",
    "Status",
    "Trade",
    "Traded",
    "Wanted",
    "Way",
]
