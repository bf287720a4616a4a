"""Fitted: new objects by the fits that a run kept: planned, scored, and held against its own."""
