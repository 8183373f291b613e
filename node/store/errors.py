"""What the store refuses.

StoreError
├── ConflictError      a row of that key stands already and says something else
├── MissingError       what was asked for is not there
├── LockedError        another process has the store
└── SchemaError        the store is of another version than this program
"""


class StoreError(Exception):
    """Base of everything this package raises."""


class ConflictError(StoreError):
    """A row of that key stands already and says something else."""


class MissingError(StoreError):
    """What was asked for is not there."""


class LockedError(StoreError):
    """Another process has the store."""


class SchemaError(StoreError):
    """The store is of another version than this program."""
