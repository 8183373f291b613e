"""The only column types: STRICT tables of SQLite take nothing else, and PostgreSQL keeps 64 bits."""

from sqlalchemy import BigInteger, Float, LargeBinary, Text
from sqlalchemy.dialects.sqlite import INTEGER, REAL

Int64 = BigInteger().with_variant(INTEGER(), "sqlite")
Double = Float(53).with_variant(REAL(), "sqlite")

__all__ = ["Double", "Int64", "LargeBinary", "Text"]
