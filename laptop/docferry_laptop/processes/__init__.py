"""Lambda functions as processes, each under the runtime client that AWS gives it."""
