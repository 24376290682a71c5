"""K-weighting (BS.1770-5, Annex 1) of many channels by matrix products.

The two biquads are one linear system of four states,

    x[n+1] = A x[n] + B u[n],    y[n] = C x[n] + D u[n],

and N samples at a time are two products over the blocks of all channels at once,

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

from monitor.measure.sound.columns import filled
from monitor.measure.sound.hops import Samples, Scratch

Matrix = NDArray[np.float64]
# Blocks whose states are worked out at once. The matrix grows as the square of it.
GROUP_LIMIT: Final = 21
CHAIN: Final = 16  # groups at once

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
    """The products of this module's equations for blocks of one size, in float32."""

    t: NDArray[np.float32]
    o: NDArray[np.float32]
    r: NDArray[np.float32]


def block_matrices(system: System, size: int) -> BlockMatrices:
    """Return T (size, size), O (size, n) and R (n, size)."""
    power = powers(system.a, size + 1)
    impulse = np.array([system.d, *(float((system.c @ p @ system.b)[0, 0]) for p in power[:-1])])
    lag = np.subtract.outer(np.arange(size), np.arange(size))
    t = np.where(lag >= 0, impulse[np.maximum(lag, 0)], 0.0)
    o = np.vstack([system.c @ p for p in power[:size]])
    r = np.hstack([p @ system.b for p in power[size - 1 :: -1]])
    return BlockMatrices(t.astype(np.float32), o.astype(np.float32), r.astype(np.float32))


def state_recursion(a: Matrix, steps: int) -> Matrix:
    """Return the matrix that runs x[k+1] = A x[k] + v[k] for that many steps at once.

    It maps [x[0]; v[0]; …; v[steps-1]] to [x[0]; x[1]; …; x[steps]]: block row i is
    [A^i, A^(i-1), …, I, 0, …]. Its leading blocks run fewer steps.
    """
    n = len(a)
    power = powers(a, steps + 1)
    out = np.zeros((steps + 1, n, steps + 1, n))
    for row in range(steps + 1):
        out[row, :, 0] = power[row]
        for column in range(1, row + 1):
            out[row, :, column] = power[row - column]
    return out.reshape((steps + 1) * n, (steps + 1) * n)


class KWeighting:
    """The filter with its state, for the columns of one sample rate.

    Products are over all blocks of all channels at once. The states between blocks are worked out a
    group of blocks at a time, from zero; those between groups then, in float64.
    """

    def __init__(self, channels: int, block: int, blocks_per_cell: int, rate_hz: int) -> None:
        system = balance(cascade(biquad(*shelf(rate_hz)), biquad(*high_pass(rate_hz))))
        self._n = n = len(system.a)
        self._block = block_matrices(system, block)
        self._size = group_size(blocks_per_cell)
        step = np.linalg.matrix_power(system.a, block)
        states = state_recursion(step, self._size)[n:].astype(np.float32)
        self._onward, self._inside = states[:, :n].copy(), states[:, n:].copy()
        self._chain = state_recursion(np.linalg.matrix_power(step, self._size), CHAIN)
        self._state = np.zeros((n, channels))
        self._flat, self._weighted = Scratch(), Scratch()
        self._small, self._product = Scratch(), Scratch()

    def feed(self, columns: Samples, before: int) -> Samples:
        """Return the weighted columns, same shape; valid until the next call.

        ``columns`` is (block, channels, before + blocks), whole cells; the first ``before`` columns
        are history, and what is returned for them has no meaning.
        """
        block, channels, count = columns.shape
        size = channels * count
        flat = filled(columns.reshape(block, -1), self._flat)
        out = self._weighted.empty(*flat.shape)
        np.matmul(self._block.t, flat, out=out)
        weighted = out[:, :size].reshape(columns.shape)
        v = np.matmul(self._block.r, flat)[:, :size].reshape(self._n, channels, count)
        states = self._states(v[:, :, before:])
        weighted[:, :, before:] += self._times(self._block.o, states)
        return weighted

    def _times(self, matrix: NDArray[np.float32], values: Samples) -> Samples:
        """Return the product over the first axis of (n, channels, m)."""
        size = values.shape[1] * values.shape[2]
        flat = filled(values.reshape(len(values), size), self._small)
        product = np.matmul(matrix, flat, out=self._product.empty(len(matrix), flat.shape[1]))
        return product[:, :size].reshape(len(matrix), *values.shape[1:])

    def _states(self, v: Samples) -> Samples:
        """Return the states before each block of v = R u, both (n, channels, blocks)."""
        n, channels, count = v.shape
        size, groups = self._size, count // self._size
        # (group of blocks, n) as rows, (channels, groups) as columns.
        rows = v.reshape(n, channels, groups, size).transpose(3, 0, 1, 2)
        after = self._times(self._inside, rows.reshape(size * n, channels, groups)).copy()
        starts = self._starts(after[-n:])
        after += self._times(self._onward, starts)
        states = np.empty((n, channels, groups, size), np.float32)
        states[..., 0] = starts
        states[..., 1:] = after.reshape(size, n, channels, groups)[:-1].transpose(1, 2, 3, 0)
        return states.reshape(n, channels, count)

    def _starts(self, ends: Samples) -> Samples:
        """Return each group's start, (n, channels, groups), given where it ends from zero."""
        n, channels, count = ends.shape
        starts = np.empty((count, n, channels), np.float32)
        rows = ends.transpose(2, 0, 1)
        for at in range(0, count, CHAIN):
            steps = rows[at : at + CHAIN].reshape(-1, channels)
            size = n + len(steps)
            after = self._chain[:size, :size] @ np.concatenate([self._state, steps])
            starts[at : at + CHAIN] = after[:-n].reshape(-1, n, channels)
            self._state = after[-n:]
        return starts.transpose(1, 2, 0)


def group_size(blocks_per_cell: int) -> int:
    """Return how many blocks a group has: the largest divisor of a cell's up to GROUP_LIMIT."""
    sizes = range(min(GROUP_LIMIT, blocks_per_cell), 0, -1)
    return next(size for size in sizes if blocks_per_cell % size == 0)
