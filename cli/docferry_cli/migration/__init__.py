"""The move from one index to another: what the new one will not take, its fill, and what is left to do."""
