"""Pages that a command writes: one file each, which a browser shows without any other and without the network."""
