"""Objects to vectors: which are stored, which are missing, and how those get there."""
