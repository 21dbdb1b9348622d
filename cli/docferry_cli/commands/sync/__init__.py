"""What changes an index: a sync, its plan, approvals, repairs."""
