"""How well the lists of a run find what is known: truth, measures, floors, records, tables."""
