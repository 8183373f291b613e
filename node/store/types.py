"""The only column types: STRICT tables of SQLite take nothing else, and PostgreSQL keeps 64 bits and sorts by code."""

import sqlalchemy
from sqlalchemy import BigInteger, Float, LargeBinary
from sqlalchemy.dialects.sqlite import INTEGER, REAL

Int64 = BigInteger().with_variant(INTEGER(), "sqlite")
Double = Float(53).with_variant(REAL(), "sqlite")
Text = sqlalchemy.Text().with_variant(sqlalchemy.Text(collation="C"), "postgresql")

__all__ = ["Double", "Int64", "LargeBinary", "Text"]
