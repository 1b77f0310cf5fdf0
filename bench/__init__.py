"""How fast it is on this machine: bounded, on loopback; prints a table and writes ``bench/results``.

``python -m bench.checkout`` and ``bench.menu`` take turns with their variants: a figure is a median over rounds with its
range. What matters is ratios inside one run and CPU per request, because machines differ and drift. ``bench.payments`` runs
a whole shop and counts what must be none. docs/performance.md says what was found.
"""
