"""Groups: who their members are, what the index knows of them, and what it has to be told."""
