"""What fragments mean: identity, catalogs, templates and the merge into one passport. Pure."""
