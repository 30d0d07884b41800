"""Imported by warm servers of notebooks that simulate the Ising model: its machine code is then in every process.

Numba keeps machine code beside the simulator, where a sandboxed process may not write, so each one would compile it
anew for two seconds.
"""

from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from course_lib.simulators import ising

ising.cluster_sizes(ising.sample(1, 2.0, size=2, n_sweeps=1, seed=0)[0])
for function in vars(ising).values():
    if isinstance(function, Dispatcher):
        # For arrays of other kinds it compiles again, and must not try to store what it made.
        function._cache = NullCache()
