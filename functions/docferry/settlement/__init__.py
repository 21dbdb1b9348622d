"""After the sync job: bring the manifest in line with what the index has taken."""
