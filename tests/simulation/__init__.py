"""The deterministic simulator: nodes as they are shipped, in one process, in virtual time, by a seed.

docs/simulator.md says how a world, an invariant and a mutant are written.
"""
