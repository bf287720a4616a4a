"""Datasets of the core: the HDF5 reader, the simulated survey, planted anomalies, selection."""
