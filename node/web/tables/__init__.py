"""The tables of the API's lists: which columns a list has as a file. A list names its own in its route."""
