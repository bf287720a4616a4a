"""Measured: what is read off the input of an object, whatever a model makes of it, and kept."""
