"""Lambda functions as processes. Each runs under AWS's own runtime client."""
