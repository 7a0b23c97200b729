"""How kernels are compiled, in one place; `cellmodel.compilation` keeps the machine code."""

from numba import njit

# No "reassoc": it would fold away the rounding constant of `vector_math.exp`.
# No "nnan": a NaN must stay one until it is given a status.
FASTMATH = {"nsz", "arcp", "contract"}

# _nrt=False: nothing in the kernels allocates, so nothing has to count references to arrays; such
# counts are atomic, and took 3 % of the time.

#: scalar rate laws, inlined into the loops over lanes; division by zero gives inf (a check would
#: stop vectorisation)
law = njit(fastmath=FASTMATH, error_model="numpy", forceinline=True, _nrt=False)

#: functions that do little but call others, written out where they are called: LLVM would optimise
#: everything below them once more
sequence = njit(fastmath=FASTMATH, error_model="numpy", inline="always")

#: loops over lanes
lanes = njit(fastmath=FASTMATH, error_model="numpy", nogil=True, _nrt=False)
