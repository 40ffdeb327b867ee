"""The tasks: one folder each, and the registry that names them."""
