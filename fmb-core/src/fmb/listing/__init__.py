"""Listing: what lists are called by people, and how their rows and a run read."""
