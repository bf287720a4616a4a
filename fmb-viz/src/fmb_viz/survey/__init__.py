"""Figures of surveys before any run: what their columns and fluxes are, side by side."""
