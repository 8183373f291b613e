"""What the product refuses, beside the errors of the packages below it.

NodeError
├── ConfigError        a setting is missing or wrong
├── FolderError        a node's folder is not what it should be
├── StoreAwayError     the database does not answer now
├── KeystoreError      keys are missing, damaged or of another node
├── BackupError        a backup cannot be made, or does not open, or is not whole
├── InputError         what a person or a system sent breaks a rule
│   ├── NotFoundError  what was asked for is not known here
│   ├── DeniedError    the asker may not
│   └── StateError     it cannot be done in this state
└── PeerError          another node could not be reached or answered badly
"""


class NodeError(Exception):
    """Base of what this package raises. `code` is stable: texts and documents are found by it."""

    code = "node"

    def __init__(self, message: str, code: str | None = None, **values: object) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.values = values


class ConfigError(NodeError):
    """A setting is missing or wrong."""

    code = "config"


class FolderError(NodeError):
    """A node's folder is not what it should be."""

    code = "folder"


class StoreAwayError(NodeError):
    """The database does not answer now: its server is stopped, begins, has no room, or is not reached."""

    code = "store_away"


class KeystoreError(NodeError):
    """Keys are missing, damaged or of another node."""

    code = "keystore"


class BackupError(NodeError):
    """A backup cannot be made, or does not open, or is not whole."""

    code = "backup"


class InputError(NodeError):
    """What a person or a system sent breaks a rule; the message names what, where and which rule."""

    code = "invalid"


class NotFoundError(InputError):
    """What was asked for is not known here."""

    code = "not_found"


class DeniedError(InputError):
    """The asker may not."""

    code = "denied"


class StateError(InputError):
    """It cannot be done in this state."""

    code = "state"


class PeerError(NodeError):
    """Another node could not be reached or answered badly."""

    code = "peer"
