"""Files of vectors: what in them is ids, vectors and catalogue, mapped or block by block."""
