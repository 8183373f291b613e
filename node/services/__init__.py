"""The verbs of the product: open a transaction, call the pure parts, commit, publish."""
