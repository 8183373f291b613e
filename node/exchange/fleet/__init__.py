"""Fleet tables of any shape: a list of meters, a billing export, an apartment list.

`read_fleet` understands the sheet and gives typed rows, each with what is wrong with it alone; `check_fleet` adds what
only many rows together show. Nothing here writes or decides: the check-up reports it, an importer may refuse by it.
"""
