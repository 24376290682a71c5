"""K-weighting (BS.1770-5, Annex 1) of many channels by matrix products.

The two biquads are one linear system of four states,

    x[n+1] = A x[n] + B u[n],    y[n] = C x[n] + D u[n],

and N samples at a time are two products over all channels at once,

    y = T u + O x,    x' = A^N x + R u,

with T the lower-triangular Toeplitz matrix of the impulse response, O = [C; CA; …; CA^(N-1)] and
R = [A^(N-1)B … B]. float32 suffices only because the states are *balanced* (equal controllability
and observability gramians): in the textbook form the high-pass's states are large numbers that
cancel, 7 dB wrong on quiet noise over a DC offset. See docs/decisions/0010.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples, Scratch

Matrix = NDArray[np.float64]
BLOCK: Final = 32  # samples a product: T's zeros cost less than more, smaller products
GROUP: Final = 16  # steps of the state recursion taken at once

# The analogue filters behind the standard's 48 kHz coefficients (Tables 1 and 2), solved back
# through the bilinear transform; at 48 kHz they give the tables again to 1e-14.
SHELF_HZ: Final = 1681.974450955533
SHELF_DB: Final = 3.999843853973347
SHELF_Q: Final = 0.7071752369554196
SHELF_BAND_EXPONENT: Final = 0.4996667741545416
HIGH_PASS_HZ: Final = 38.13547087602444
HIGH_PASS_Q: Final = 0.5003270373238773


def shelf(sample_rate_hz: int) -> tuple[Matrix, Matrix]:
    """Return (b, a) of the first stage, the head's high shelf, at any rate."""
    k = np.tan(np.pi * SHELF_HZ / sample_rate_hz)
    high = 10.0 ** (SHELF_DB / 20.0)
    band = high**SHELF_BAND_EXPONENT
    a0 = 1.0 + k / SHELF_Q + k * k
    b = [high + band * k / SHELF_Q + k * k, 2.0 * (k * k - high), high - band * k / SHELF_Q + k * k]
    a = [a0, 2.0 * (k * k - 1.0), 1.0 - k / SHELF_Q + k * k]
    return np.array(b) / a0, np.array(a) / a0


def high_pass(sample_rate_hz: int) -> tuple[Matrix, Matrix]:
    """Return (b, a) of the second stage, the RLB high-pass, at any rate.

    The numerator is 1, -2, 1 at every rate, as in the standard's Table 2: not normalised.
    """
    k = np.tan(np.pi * HIGH_PASS_HZ / sample_rate_hz)
    a0 = 1.0 + k / HIGH_PASS_Q + k * k
    a = [a0, 2.0 * (k * k - 1.0), 1.0 - k / HIGH_PASS_Q + k * k]
    return np.array([1.0, -2.0, 1.0]), np.array(a) / a0


@dataclass(frozen=True, slots=True)
class System:
    """A linear system with one input and one output: a (n, n), b (n, 1), c (1, n), d."""

    a: Matrix
    b: Matrix
    c: Matrix
    d: float


def biquad(b: Matrix, a: Matrix) -> System:
    """Return the state-space form of a biquad with a[0] = 1 (transposed direct form II)."""
    return System(
        a=np.array([[-a[1], 1.0], [-a[2], 0.0]]),
        b=np.array([[b[1] - a[1] * b[0]], [b[2] - a[2] * b[0]]]),
        c=np.array([[1.0, 0.0]]),
        d=float(b[0]),
    )


def cascade(first: System, second: System) -> System:
    """Return the system that feeds the first's output to the second."""
    zeros = np.zeros((len(first.a), len(second.a)))
    return System(
        a=np.block([[first.a, zeros], [second.b @ first.c, second.a]]),
        b=np.vstack([first.b, second.b * first.d]),
        c=np.hstack([second.d * first.c, second.c]),
        d=first.d * second.d,
    )


def gramian(a: Matrix, b: Matrix) -> Matrix:
    """Return P of the Lyapunov equation P = A P Aᵀ + B Bᵀ, solved as (I - A⊗A) vec P = vec BBᵀ."""
    size = len(a)
    vector = np.linalg.solve(np.eye(size * size) - np.kron(a, a), (b @ b.T).ravel())
    solution = vector.reshape(size, size)
    return np.asarray((solution + solution.T) / 2.0)


def balance(system: System) -> System:
    """Return the same system with equal, diagonal gramians (Moore 1981, square-root method)."""
    reach = np.linalg.cholesky(gramian(system.a, system.b))
    see = np.linalg.cholesky(gramian(system.a.T, system.c.T))
    u, sigma, vt = np.linalg.svd(see.T @ reach)
    to_old = reach @ vt.T / np.sqrt(sigma)
    to_new = (u / np.sqrt(sigma)).T @ see.T
    return System(
        a=to_new @ system.a @ to_old, b=to_new @ system.b, c=system.c @ to_old, d=system.d
    )


def powers(a: Matrix, count: int) -> Matrix:
    """Return A^0 … A^(count-1), shape (count, n, n)."""
    out = [np.eye(len(a))]
    for _ in range(count - 1):
        out.append(out[-1] @ a)
    return np.array(out)


@dataclass(frozen=True, slots=True)
class BlockMatrices:
    """The products of this module's equations for ``size`` samples, in float32."""

    size: int
    t: NDArray[np.float32]
    o: NDArray[np.float32]
    r: NDArray[np.float32]
    a_n: NDArray[np.float32]


def block_matrices(system: System, size: int) -> BlockMatrices:
    """Return T (size, size), O (size, n), R (n, size) and A^size."""
    power = powers(system.a, size + 1)
    impulse = np.array([system.d, *(float((system.c @ p @ system.b)[0, 0]) for p in power[:-1])])
    lag = np.subtract.outer(np.arange(size), np.arange(size))
    t = np.where(lag >= 0, impulse[np.maximum(lag, 0)], 0.0)
    o = np.vstack([system.c @ p for p in power[:size]])
    r = np.hstack([p @ system.b for p in power[size - 1 :: -1]]) if size else system.b[:, :0]
    f32 = np.float32
    return BlockMatrices(size, t.astype(f32), o.astype(f32), r.astype(f32), power[size].astype(f32))


def state_recursion(a: Matrix, group: int) -> NDArray[np.float32]:
    """Return the matrix that runs x[k+1] = A x[k] + v[k] for ``group`` steps at once.

    It maps [x[0]; v[0]; …; v[group-1]] to [x[0]; x[1]; …; x[group]]: block row i is
    [A^i, A^(i-1), …, I, 0, …].
    """
    n = len(a)
    power = powers(a, group + 1)
    out = np.zeros(((group + 1) * n, (group + 1) * n))
    for row in range(group + 1):
        out[row * n : (row + 1) * n, :n] = power[row]
        for column in range(1, row + 1):
            out[row * n : (row + 1) * n, column * n : (column + 1) * n] = power[row - column]
    return out.astype(np.float32)


class KWeighting:
    """The filter with its state, for (channels, frames) of one sample rate.

    Channels and blocks are rows here, so the products of this module's equations are transposed.
    """

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self._system = balance(
            cascade(biquad(*shelf(sample_rate_hz)), biquad(*high_pass(sample_rate_hz)))
        )
        self._block = block_matrices(self._system, BLOCK)
        self._recursions: list[NDArray[np.float32]] = []
        self._tails: dict[int, BlockMatrices] = {}
        self._state = np.zeros((channels, len(self._system.a)), np.float32)
        self._weighted, self._from_states = Scratch(), Scratch()

    def feed(self, samples: Samples) -> Samples:
        """Return the weighted samples, same shape; any length; valid until the next call."""
        channels, frames = samples.shape
        count = frames // BLOCK
        out = self._weighted.empty(channels, frames)
        if count:
            whole = count * BLOCK
            shape = (channels, count, BLOCK)
            self._blocks(samples[:, :whole].reshape(shape), out[:, :whole].reshape(shape))
        if frames % BLOCK:
            self._tail(samples[:, count * BLOCK :], out[:, count * BLOCK :])
        return out

    def _blocks(self, u: Samples, out: Samples) -> None:
        """Write y = T u + O x for (channels, blocks, BLOCK)."""
        states, self._state = self._states(np.matmul(u, self._block.r.T), self._state, 0)
        np.matmul(u, self._block.t.T, out=out)
        out += np.matmul(states, self._block.o.T, out=self._from_states.empty(*out.shape))

    def _recursion(self, level: int) -> NDArray[np.float32]:
        """Return, transposed, the recursion of GROUP steps of BLOCK·GROUP^level samples each."""
        while len(self._recursions) <= level:
            samples = BLOCK * GROUP ** len(self._recursions)
            step = np.linalg.matrix_power(self._system.a, samples)
            self._recursions.append(np.ascontiguousarray(state_recursion(step, GROUP).T))
        return self._recursions[level]

    def _states(self, v: Samples, start: Samples, level: int) -> tuple[Samples, Samples]:
        """Return the states before each step of v = R u, and the one after the last.

        ``v`` is (channels, steps, n), ``start`` (channels, n). More steps than a group are run
        twice: from zero, to learn where each group ends, which is a recursion of larger steps;
        then, all groups at once, from where those begin.
        """
        channels, count, n = v.shape
        recursion = self._recursion(level)
        if count <= GROUP:
            both = np.concatenate([start, v.reshape(channels, count * n)], axis=1)
            size = both.shape[1]
            after = (both @ recursion[:size, :size]).reshape(channels, count + 1, n)
            return after[:, :-1], after[:, -1]
        groups = count // GROUP
        whole = groups * GROUP
        steps = v[:, :whole].reshape(channels, groups, GROUP * n)
        starts, end = self._states(steps @ recursion[n:, -n:], start, level + 1)
        both = np.concatenate([starts, steps], axis=2)
        states = (both @ recursion[:, :-n]).reshape(channels, whole, n)
        if whole == count:
            return states, end
        rest, end = self._states(v[:, whole:], end, level)
        return np.concatenate([states, rest], axis=1), end

    def _tail(self, u: Samples, out: Samples) -> None:
        """Filter fewer than BLOCK samples."""
        size = u.shape[1]
        if size not in self._tails:
            self._tails[size] = block_matrices(self._system, size)
        tail = self._tails[size]
        out[:] = u @ tail.t.T + self._state @ tail.o.T
        self._state = self._state @ tail.a_n.T + u @ tail.r.T
