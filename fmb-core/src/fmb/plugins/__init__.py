"""Which components there are: found, checked, looked up, and given their settings."""
