"""Sources of kind ``files``: a folder of this machine, or of a share that is mounted here."""
