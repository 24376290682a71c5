"""Lines of the mains and what tells them from tones: pure functions over spectra around them.

Half a second of decimated sound is turned to each of eleven lines (six harmonics of both mains);
forty such values, 5 s, make a spectrum of the 2 Hz either side of each line.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAINS_HZ: Final = (50.0, 60.0)
HARMONICS: Final = 6  # 300 and 360 Hz: higher ones lie under speech and are not stronger
FRAMES_PER_S: Final = 8  # so often that what is 7 Hz away does not fold onto the line
FRAME_S: Final = 0.5
WINDOW: Final = 40  # frames of one spectrum, 5 s; with the looks told within 8 s
STEP_HZ: Final = 0.1
NEAR_HZ: Final = 2.0  # what noise is judged by
WIDE_SHARE: Final = 0.01  # of the fundamentals: a generator set is within 1 %
NARROW_SHARE: Final = 0.005  # of the others: grids are; 1 % would reach the note B at 246.9 Hz
REACH_HZ: Final = 1.0
QUIET_SHARE: Final = 0.25
SOFTEN: Final = 4.0  # noise whose quiet quarter is 1 has a mean of 3.5
VARIES: Final = 0.2  # of the line's mean amplitude, 2 dB: a quarter of a window may be off it
MOST_VARIES: Final = 0.6  # however noisy
LOBE_HZ: Final = 0.5  # half the width of a line in the spectrum
ALONE: Final = 4.0  # over all else within 2 Hz, power; the highest of noise is 5
ERROR_HZ: Final = 0.55  # three standard deviations of a frequency where line and noise are alike
LEAST_ERROR_HZ: Final = 0.02  # of the parabola, and of mains that drift within 5 s
GRID_SHARE: Final = 0.002  # grids: 50 Hz ± 50 mHz nearly always, 60 Hz ± 50 mHz; twice that
SECOND: Final = 8.0  # a generator's further line where the first says: power over noise
SECOND_SHARE: Final = 0.7  # of the highest within 2 Hz of it
CLEAR_LONE: Final = 100.0  # 50 or 60 Hz over noise, power: its level is then known to 2 dB
LONE_SHARE: Final = 0.001  # grids: 50 mHz; what is lone must be as near over 20 s
LONE_STEPS: Final = 640  # of a spectrum over 8 Hz: eighths of the width that 20 s give
LONE_LOBE_HZ: Final = 0.12  # half the width of a line over 18 s and more, a fifth over
LONE_ALONE: Final = 4.0  # over all else within 2 Hz, power; of noise alone the highest is 6
UNDER: Final = 0.45  # least |value| that a steady line leaves, against its amplitude
FLOOR_DBFS: Final = -80.0  # nobody hears it under any room; one harmonic
FLOOR_RMS: Final = 10 ** (FLOOR_DBFS / 20)

Complex = NDArray[np.complex64]
Flags = NDArray[np.bool_]


def line_table() -> NDArray[np.float64]:
    """Return the lines' frequencies, ascending, each once."""
    return np.unique([mains * order for mains in MAINS_HZ for order in range(1, HARMONICS + 1)])


LINES_HZ: Final = line_table()
SPAN_HZ: Final = np.minimum(
    LINES_HZ * np.where(max(MAINS_HZ) >= LINES_HZ, WIDE_SHARE, NARROW_SHARE), REACH_HZ
)
OFFSETS_HZ: Final = np.arange(-round(NEAR_HZ / STEP_HZ), round(NEAR_HZ / STEP_HZ) + 1) * STEP_HZ
INSIDE: Final[Flags] = np.abs(OFFSETS_HZ) <= SPAN_HZ[:, None] + STEP_HZ / 10
OF_MAINS: Final[Flags] = np.array([LINES_HZ % mains == 0.0 for mains in MAINS_HZ])
ORDERS: Final = np.array([np.rint(LINES_HZ / mains) for mains in MAINS_HZ]).astype(np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """What turns frames into values: sizes in decimated samples, and the lines' waves."""

    frame: int
    step: int
    frame_rate_hz: float
    waves: NDArray[np.float32]
    """(frame, 2 · lines): cosines and minus sines under a Hann window; a sine gives its RMS."""
    spectrum: Complex
    """(WINDOW, offsets): a Fourier sum under a Hann window, the frame's own response undone."""


def turning(rate_hz: float) -> Turning:
    """Return the tables for a decimated rate."""
    frame, step = round(FRAME_S * rate_hz), round(rate_hz / FRAMES_PER_S)
    window = np.hanning(frame + 1)[:-1]
    window *= np.sqrt(2) / window.sum()
    time_s = np.arange(frame) / rate_hz
    wave = window[:, None] * np.exp(-2j * np.pi * time_s[:, None] * LINES_HZ)
    response = np.abs(np.exp(-2j * np.pi * OFFSETS_HZ[:, None] * time_s) @ window) / np.sqrt(2)
    frame_s = np.arange(WINDOW) * step / rate_hz
    turns = np.exp(-2j * np.pi * frame_s[:, None] * OFFSETS_HZ) * taper(WINDOW)[:, None]
    return Turning(
        frame=frame,
        step=step,
        frame_rate_hz=rate_hz / step,
        waves=np.concatenate([wave.real, wave.imag], axis=1).astype(np.float32),
        spectrum=(turns / response).astype(np.complex64),
    )


def taper(size: int) -> NDArray[np.float64]:
    """Return a Hann window without its zeros: strong lines beside do not leak."""
    return np.hanning(size + 2)[1:-1]


def weights(values: Complex) -> NDArray[np.float32]:
    """Return how much each value of a row counts: little where speech is over the quiet quarter."""
    power = values.real**2 + values.imag**2
    rank = int(QUIET_SHARE * (values.shape[-1] - 1))
    quiet = np.partition(power, rank, axis=-1)[..., rank, None]
    found = 1 / (1 + power / (SOFTEN * quiet + np.float32(1e-24)))
    return found.astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Spectra around every line: power over noise, and amplitude in RMS, (channels, lines, n)."""

    over: NDArray[np.float32]
    rms: NDArray[np.float32]


def look_at(values: Complex, tables: Turning) -> Look:
    """Return the spectra of a window of values, (channels, lines, WINDOW)."""
    weight = weights(values)
    amplitude = np.abs((values * weight) @ tables.spectrum)
    power = amplitude**2
    middle = power.shape[-1] // 2
    # Half of exponentially distributed powers are over ln 2 of their mean.
    noise = np.partition(power, middle, axis=-1)[..., middle, None] / np.float32(np.log(2))
    over = power / np.maximum(noise, np.float32(1e-24))
    total = weight @ taper(WINDOW).astype(np.float32)
    rms = amplitude / np.maximum(total, np.float32(1e-12))[..., None]
    return Look(over=over.astype(np.float32, copy=False), rms=rms.astype(np.float32))


def peaks_of(over: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float64], Flags]:
    """Return where each spectrum is highest near its line: step, offset in Hz, whether it peaks.

    A slope of something louder beside is no peak. The offset is that of a parabola through the
    logarithms of three steps, which a Hann window's lobe is to 0.01 Hz.
    """
    peak = (over * INSIDE).argmax(axis=-1)
    three = peak[..., None] + np.arange(-1, 2)
    low, top, high = np.moveaxis(np.take_along_axis(over, three, -1), -1, 0)
    least = np.float32(1e-9)
    left, right = (np.log((top + least) / (beside + least)) for beside in (low, high))
    is_peak = (left >= 0) & (right >= 0)
    bend = np.maximum(left + right, np.float32(1e-6))
    moved = np.where(is_peak, (left - right) / bend / 2, 0.0)
    return peak, (OFFSETS_HZ[peak] + moved * STEP_HZ).astype(np.float64), is_peak


def stands_alone(
    over: NDArray[np.float32], offset_hz: NDArray[np.float64], alone: float = ALONE
) -> Flags:
    """Say of spectra whether nothing within 2 Hz comes near the line.

    What is struck, bowed or repeated has sidebands as far off as it is often; hum has none.
    """
    beside = np.abs(OFFSETS_HZ - offset_hz[..., None]) > LOBE_HZ
    return np.asarray((over * ~beside).max(axis=-1) >= alone * (over * beside).max(axis=-1))


def error_hz(over: float) -> float:
    """Return three standard deviations of an offset found in noise so far under the line."""
    return float(ERROR_HZ / np.sqrt(max(over, 1.0)) + LEAST_ERROR_HZ)


def turned_back(values: Complex, offset_hz: NDArray[np.float64], frame_rate_hz: float) -> Complex:
    """Return rows of values without the turning of their own frequency offsets."""
    at = np.arange(values.shape[-1]) / frame_rate_hz
    turns: Complex = np.exp(-2j * np.pi * offset_hz[:, None] * at).astype(np.complex64)
    return values * turns


def quarters_of(
    values: Complex, offset_hz: NDArray[np.float64], frame_rate_hz: float
) -> tuple[NDArray[np.float64], Flags]:
    """Return rows' levels in each quarter of a window against the whole, (rows, 4).

    Also whether the quietest tenth is near the level: a steady line leaves no value far below.
    """
    turned, weight = turned_back(values, offset_hz, frame_rate_hz), weights(values)
    counted = weight * taper(values.shape[-1])
    mean = (counted * turned).sum(axis=-1, keepdims=True) / counted.sum(axis=-1, keepdims=True)
    square = np.maximum(np.abs(mean) ** 2, 1e-24)
    along = (turned * mean.conj()).real / square * weight
    split = (len(values), 4, values.shape[-1] // 4)
    quarters = along.reshape(split).sum(axis=-1) / weight.reshape(split).sum(axis=-1)
    lowest = np.quantile(np.abs(values), 0.1, axis=-1)
    return quarters, np.asarray(lowest > UNDER * np.abs(mean[:, 0]))


def may_differ(over: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far a quarter's level may be off: VARIES, and what the noise explains."""
    return np.minimum(MOST_VARIES, VARIES + 3 * np.sqrt(2 / over))


def keeps_level(
    values: Complex, offset_hz: NDArray[np.float64], over: NDArray[np.float32], frame_rate_hz: float
) -> Flags:
    """Say of rows of a window whether the line's level is the same in every quarter of it."""
    quarters, stays = quarters_of(values, offset_hz, frame_rate_hz)
    return np.asarray(stays & (np.abs(quarters - 1).max(axis=1) < may_differ(over)))


def began(values: Complex, offset_hz: float, frame_rate_hz: float) -> int:
    """Return the frame from which on a row of values holds the line, to about a second."""
    turned = turned_back(values[None], np.array([offset_hz]), frame_rate_hz)[0]
    weight = weights(values[None])[0]
    whole = len(turned) // FRAMES_PER_S * FRAMES_PER_S
    turned, weight = turned[len(turned) - whole :], weight[len(weight) - whole :]
    counted = (turned * weight).reshape(-1, FRAMES_PER_S).sum(axis=1)
    level = np.abs(counted) / weight.reshape(-1, FRAMES_PER_S).sum(axis=1)
    missing = level < 0.5 * np.median(level[-WINDOW // FRAMES_PER_S :])
    # A single second may be covered by a loud word.
    both = np.flatnonzero(missing & np.append(missing[1:], True))
    seconds = int(both[-1]) + 2 if len(both) else int(missing[0])
    return len(values) - whole + min(seconds, len(level) - 1) * FRAMES_PER_S


def on_grid(line: int, offset_hz: float, over: float) -> bool:
    """Say whether a line may be a grid's, as far as its frequency can be known."""
    error = error_hz(over)
    return bool(abs(offset_hz) <= GRID_SHARE * LINES_HZ[line] + error)


def has_second(
    spectra: NDArray[np.float32], steady: Flags, line: int, offset_hz: float, over: float
) -> bool:
    """Say whether another steady line shows where this one, off the grid, says it is.

    So it is with a generator. ``spectra``: power over noise around every line, (lines, offsets).
    The two must be no partials of one higher note: 121.4 Hz has 242.8 Hz too.
    """
    error = error_hz(over)
    for of_mains, orders in zip(OF_MAINS, ORDERS, strict=True):
        for other in np.flatnonzero(of_mains & of_mains[line] & steady).tolist():
            if other == line or np.gcd(orders[other], orders[line]) > 1:
                continue
            ratio = float(orders[other] / orders[line])
            if _shows(spectra[other], offset_hz * ratio, error * ratio):
                return True
    return False


def _shows(spectrum: NDArray[np.float32], offset_hz: float, error_hz: float) -> bool:
    near = np.abs(OFFSETS_HZ - offset_hz) <= error_hz + STEP_HZ / 2
    at = float((spectrum * near).max())
    return at >= max(SECOND, SECOND_SHARE * float(spectrum.max()))


def is_lone_fundamental(line: int, offset_hz: float, over: float) -> bool:
    """Say whether a line is so clearly 50 or 60 Hz that it needs no second one.

    Few instruments sound so low, and the nearest notes, 49.0 and 61.7 Hz, are 2 % and more off.
    """
    low = bool(LINES_HZ[line] <= max(MAINS_HZ))
    return low and over > CLEAR_LONE and on_grid(line, offset_hz, over)


def stands_alone_for_long(values: Complex, line: int, frame_rate_hz: float) -> bool:
    """Say whether one line, over all of its values, is a grid's and has nothing near it.

    Twenty seconds part what five do not: what comes again every few seconds, as a loop or a bar of
    music, has lines that close together, and a note is off the grid by more than can be the grid's.
    ``values``: (frames,).
    """
    counted = values * weights(values[None])[0] * taper(len(values))
    power = np.abs(np.fft.fft(counted, LONE_STEPS)) ** 2
    hz = np.fft.fftfreq(LONE_STEPS, 1 / frame_rate_hz)
    power[np.abs(hz) > NEAR_HZ] = 0.0
    peak = int(power.argmax())
    beside = power[np.abs(hz - hz[peak]) > LONE_LOBE_HZ].max()
    near = abs(hz[peak]) <= LONE_SHARE * LINES_HZ[line] + LEAST_ERROR_HZ
    return bool(near and power[peak] >= LONE_ALONE * beside)
