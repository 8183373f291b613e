"""A list of numbers as one value of a statement, which stays the same however long the list is.

Spelled out, each number is a parameter of its own, and writing some hundred of them costs as much as finding the rows.
"""

import json
from collections.abc import Iterable

from sqlalchemy import ARRAY, BigInteger, Column, ColumnElement, Text, any_, bindparam, func, select


def is_listed(dialect: str, column: Column[int], name: str) -> ColumnElement[bool]:
    """Whether a column is one of the numbers of the list that the statement is given by this name."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam(name, type_=Text)).table_valued("value").alias("listed")
        return column.in_(select(listed.c.value))
    return column == any_(bindparam(name, type_=ARRAY(BigInteger)))


def as_list(dialect: str, numbers: Iterable[int]) -> object:
    """The value of such a list."""
    listed = sorted(numbers)
    return json.dumps(listed) if dialect == "sqlite" else listed
