"""What a figure was measured on, and what a process holds."""

from __future__ import annotations

import ctypes
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

PACKAGES = ("faust-streaming", "kafka-python", "clickhouse-driver", "numba", "numpy", "pyarrow", "fastapi")


def machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def peak_mb(pid: int) -> float:
    """Most memory the process and its children ever held, in MB (VmHWM)."""
    pids = [pid]
    for found in pids:
        children = Path(f"/proc/{found}/task/{found}/children")
        pids.extend(int(child) for child in children.read_text().split())
    return round(sum(_status_kb(found, "VmHWM") for found in pids) / 1024, 1)


def _status_kb(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def load_average() -> list[float]:
    """Of the last 1, 5 and 15 minutes: how busy the machine was with all it runs."""
    return [round(load, 2) for load in os.getloadavg()]


def resident_bytes() -> int:
    """Memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def resident_bytes_of(array: np.ndarray) -> int:
    """Of the memory pages in which the array lies, those that are resident: as mincore(2) tells. Raises
    OSError where that cannot be told."""
    page = os.sysconf("SC_PAGE_SIZE")
    first = array.ctypes.data // page
    pages = np.zeros(-(-(array.ctypes.data + array.nbytes) // page) - first, np.uint8)
    if ctypes.CDLL(None, use_errno=True).mincore(
        ctypes.c_void_p(first * page), ctypes.c_size_t(pages.size * page), ctypes.c_void_p(pages.ctypes.data)
    ):
        raise OSError(ctypes.get_errno(), "mincore")
    return int((pages & 1).sum()) * page
