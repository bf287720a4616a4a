"""Where the numbers of an input are stored: one module a kind of file, all read by row."""
