"""Conditions on the columns of a table: parsed without `eval`, computed without a digit lost."""
