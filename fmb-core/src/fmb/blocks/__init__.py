"""Blocks: vectors where they lie, gathered or some at a time, and whether they are sound."""
