"""What a plugin and the core agree on: records, protocols and data; it computes nothing."""
