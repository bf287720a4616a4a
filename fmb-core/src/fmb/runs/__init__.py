"""What was made: the folder of a run, read and never computed."""
