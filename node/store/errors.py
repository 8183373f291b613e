"""What the store refuses.

StoreError
├── AccessError        the database does not let this node in
├── ConflictError      a row of that key stands already and says something else
├── MissingError       what was asked for is not there
├── LockedError        another process has the store
├── OwnerError         the store is another node's
└── SchemaError        the store is of another version than this program
"""


class StoreError(Exception):
    """Base of everything this package raises."""


class AccessError(StoreError):
    """The database does not let this node in: its name, user, password or rights are not as they should be."""


class ConflictError(StoreError):
    """A row of that key stands already and says something else."""


class MissingError(StoreError):
    """What was asked for is not there."""


class LockedError(StoreError):
    """Another process has the store."""


class OwnerError(StoreError):
    """The store is another node's."""


class SchemaError(StoreError):
    """The store is of another version than this program."""
