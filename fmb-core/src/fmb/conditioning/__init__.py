"""Conditioning: what roles of the catalogue tell of vectors is taken out of them."""
