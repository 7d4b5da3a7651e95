"""From the start of a process to its first batch, its kernels compiled before.

`python -m benchmarks.graph.start` prints one JSON object. Whoever starts it adds the interpreter's own time.
"""

from __future__ import annotations

import json
import time

_began_s = time.perf_counter()

from benchmarks.graph.ours import Batches  # noqa: E402 - the imports are what is timed
from benchmarks.graph.stream import ROWS, Regime, make  # noqa: E402
from schemas.law import load_law  # noqa: E402
from services.detector.engine import Engine  # noqa: E402
from services.detector.graph import RollingGraph  # noqa: E402


def main() -> None:
    imported_s = time.perf_counter()
    RollingGraph.warm()
    warm_s = time.perf_counter()
    batch = Batches(make(10_000, Regime.shared, measured=ROWS)).batch(0, ROWS)
    made_s = time.perf_counter()
    Engine(load_law()).apply_transfers(batch)
    done_s = time.perf_counter()
    print(
        json.dumps(
            {
                "import_seconds": round(imported_s - _began_s, 3),
                "warm_seconds": round(warm_s - imported_s, 3),
                "first_batch_seconds": round(done_s - made_s, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
