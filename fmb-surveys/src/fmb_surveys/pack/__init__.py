"""Many small files as a few large ones: written shard by shard, gone on with, and compared."""
