"""Files that others made: read within bounds, or named for what they are."""
