"""Lists: what a detector is given, scored out of fold, ranked, and kept by its content."""
