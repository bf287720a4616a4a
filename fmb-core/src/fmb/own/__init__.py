"""A user's own vectors as a dataset: found, decoded once where need be, beside a survey."""
