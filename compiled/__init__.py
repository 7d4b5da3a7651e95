"""How hot loops are compiled: one typed door to numba, cached in this package's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from mmap import MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE, mmap
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import DTypeLike, NDArray


def _sources() -> Iterator[bytes]:
    """Of every kernel, and of what kernels are made from."""
    home = Path(__file__).parent.parent
    for package in ("compiled", "attribution", "services/detector"):
        for source in sorted((home / package).rglob("*.py")):
            text = source.read_bytes()
            if source.parent.name in ("compiled", "attribution", "graph") or b"@kernel" in text:
                yield text


def _cache_folder() -> str:
    """A folder of its own for each state of the sources: numba looks at a kernel's own file only,
    and would go on with what was compiled from the old text of another that is inlined into it."""
    name = sha256(b"".join(_sources())).hexdigest()[:16]
    return str(Path(__file__).parent / "__pycache__" / f"kernels-{name}")


_settings: Any = numba.config  # filled when numba is imported: the type checker knows none of it
CACHE_FOLDER: Final[str] = _settings.CACHE_DIR or _cache_folder()
_settings.CACHE_DIR = CACHE_FOLDER

P = ParamSpec("P")
R = TypeVar("R")

Array: TypeAlias = NDArray[Any]
"""An array of records or of unsigned integers."""
Record: TypeAlias = Any
"""One element of an array of records; a kernel reads and writes its fields in place."""
Int64s: TypeAlias = NDArray[np.int64]
Int32s: TypeAlias = NDArray[np.int32]
Int16s: TypeAlias = NDArray[np.int16]
Int8s: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]

signed = cast(type[int], np.int64)
"""np.int64, which kernels use where the type checker expects an int."""


_OPTIONS: Final[dict[str, Any]] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,
}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` to machine code at its first call; it runs without the interpreter lock.

    Types are the caller's arguments'. A kernel raises nothing and allocates nothing, so its arrays are
    not counted as references: counting took four fifths of the time of a transfer.
    """
    return cast(Callable[P, R], numba.njit(**_OPTIONS)(function))


def direct(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel as Python calls it thousands of times: the types of its arguments are told at the first call
    and not looked at again, which takes longer than most walks along one account's transfers.

    For where the calling module answers for all of the types: an array of another type than the first
    would be misread. Where bounds are checked (NUMBA_BOUNDSCHECK), so are types: TypeError.
    """
    compiled: Any = function
    entry: Any = None
    first: Any = None

    def call(*arguments: Any) -> Any:
        nonlocal entry
        if entry is not None:
            return entry(*arguments)
        found = compiled(*arguments)
        entry = compiled.overloads[_types_of(arguments)].entry_point
        return found

    def checked(*arguments: Any) -> Any:
        nonlocal first
        types_now = _types_of(arguments)
        first = first or types_now
        if types_now != first:
            raise TypeError(f"{function.__qualname__} takes {first}, not {types_now}")
        return compiled(*arguments)

    return cast(Callable[P, R], checked if _settings.BOUNDSCHECK else call)


def _types_of(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    typeof: Any = numba.typeof  # untyped
    return tuple(typeof(one) for one in arguments)


_code: Any = cgutils  # untyped
_ir: Any = _code.ir


@intrinsic
def _prefetch(_typing: Any, array: Any, _index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, arguments[0])
        place = _code.get_item_pointer(context, builder, kind, held, [arguments[1]], wraparound=False)
        octets, number = _ir.IntType(8).as_pointer(), _ir.IntType(32)
        shape = _ir.FunctionType(_ir.VoidType(), [octets, number, number, number])
        instruction = _code.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
        read, kept_near, data = number(0), number(3), number(1)
        builder.call(instruction, [builder.bitcast(place, octets), read, kept_near, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


prefetch = cast(Callable[[Array, int], None], _prefetch)
"""In kernels: have the cache line of array[index] brought near; it is not waited for. An index out of
range does no harm. What a loop will need some rounds later is asked for now, so that many accesses
to memory are under way at once (Chen, Ailamaki, Gibbons, Mowry, "Improving hash join performance
through prefetching", 2004)."""

LANES: Final = 8


@intrinsic
def _within(_typing: Any, array: Any, _first: Any, _least: Any, _count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, arguments[0])
        place = _code.get_item_pointer(context, builder, kind, held, [arguments[1]], wraparound=False)
        number = context.get_data_type(kind.dtype)
        lanes = _ir.VectorType(number, LANES)
        values = builder.load(builder.bitcast(place, lanes.as_pointer()), align=kind.dtype.bitwidth // 8)
        least, count = (_in_every_lane(builder, each, number) for each in arguments[2:])
        found = builder.icmp_unsigned("<", builder.sub(values, least), count)
        octet = builder.bitcast(found, _ir.IntType(LANES))
        return builder.zext(octet, context.get_value_type(types.int64))

    return types.int64(array, types.intp, types.uint64, types.uint64), generate


def _in_every_lane(builder: Any, value: Any, number: Any) -> Any:
    """A vector of LANES times the low bits of a 64-bit number."""
    low = value if number.width == value.type.width else builder.trunc(value, number)
    lanes = _ir.Constant(_ir.VectorType(number, LANES), _ir.Undefined)
    first = builder.insert_element(lanes, low, _ir.IntType(32)(0))
    return builder.shuffle_vector(
        first, lanes, _ir.Constant(_ir.VectorType(_ir.IntType(32), LANES), [0] * LANES)
    )


within = cast(Callable[[Array, int, "int | np.uint64", int], int], _within)
"""In kernels: which of the LANES integers from array[first] on are in [least, least + count), modulo
2 to the width of the array's integers: bit 0 is the first's. All are compared at once, without a
branch."""


@intrinsic
def _lowest(_typing: Any, _lanes: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], _ir.IntType(1)(0))

    return types.int64(types.int64), generate


lowest_lane = cast(Callable[[int], int], _lowest)
"""In kernels: the number of the lowest bit that is set."""

LINE_BYTES: Final = 64


_HUGE_FROM: Final = 16 << 20
"""Bytes. Of a huge page, of which fewer addresses are looked up, the last is used in part: two megabytes."""


def reserved(length: int, dtype: DTypeLike) -> Array:
    """Zeroed array that starts on a page, so that a 32 or 64 byte record never spans two cache lines.

    Memory that was never touched is not resident: reserving for the stated maximum costs nothing.
    """
    kind = np.dtype(dtype)
    memory = mmap(-1, max(length * kind.itemsize, 1), flags=MAP_PRIVATE | MAP_ANONYMOUS)
    if len(memory) >= _HUGE_FROM:
        with suppress(OSError):  # a kernel without them
            memory.madvise(MADV_HUGEPAGE)
    return np.frombuffer(memory, kind, length)


def read_only(array: Array) -> Array:
    """The same array, not to be written: kernels are compiled once, whatever buffer a column lies in."""
    array.setflags(write=False)
    return array
