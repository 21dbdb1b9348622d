"""IAM on a laptop: every call that a role of a stack makes is checked against the policies of that role."""
