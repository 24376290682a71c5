"""libebur128 by ctypes: an independent meter to be compared with (Debian ``libebur128-1``)."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

ALL_MODES = 0x01 | 0x03 | 0x07 | 0x0B | 0x31  # momentary, short-term, integrated, LRA, true peak


@contextmanager
def state(channels: int, rate: int) -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p]]:
    library = ctypes.CDLL("libebur128.so.1")
    library.ebur128_init.restype = ctypes.c_void_p
    made = ctypes.c_void_p(library.ebur128_init(channels, rate, ALL_MODES))
    try:
        yield library, made
    finally:
        library.ebur128_destroy(ctypes.byref(made))


def measured(samples: NDArray[np.float32], rate: int) -> tuple[float, list[float]]:
    """Integrated loudness and each channel's true peak in dBTP, of (frames, channels)."""
    out = ctypes.c_double()
    with state(samples.shape[1], rate) as (library, meter):
        interleaved = np.ascontiguousarray(samples)
        frames = ctypes.c_size_t(len(samples))
        library.ebur128_add_frames_float(meter, ctypes.c_void_p(interleaved.ctypes.data), frames)
        library.ebur128_loudness_global(meter, ctypes.byref(out))
        integrated = out.value
        peaks = []
        for index in range(samples.shape[1]):
            library.ebur128_true_peak(meter, ctypes.c_uint(index), ctypes.byref(out))
            peaks.append(20 * float(np.log10(out.value)))
    return integrated, peaks
