"""Lists of a run in conversation with TOPCAT, Aladin and others, by SAMP."""
