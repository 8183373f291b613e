"""The registry at the size of a large utility: a million devices (`make bench-data` makes them).

Each part is a module with a function that measures and answers a table and figures; a new part is a line here.
"""

from benchmarks import registry_filing, registry_import, registry_search, registry_start

PARTS = {
    "import": registry_import.measure,
    "search": registry_search.measure,
    "filing": registry_filing.measure,
    "start": registry_start.measure,
}
