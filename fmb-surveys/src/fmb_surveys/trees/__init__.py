"""Trees of raw data that are read as they are: one module a kind, each a description of it."""
