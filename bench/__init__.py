"""How fast it is on this machine: bounded, on loopback, interleaved; prints a table and writes ``bench/results``.

``python -m bench.checkout`` and ``python -m bench.menu``. A figure is a median over rounds with its range; what matters is
ratios inside one run and CPU per request, because machines differ and drift. docs/performance.md says what was found.
"""
