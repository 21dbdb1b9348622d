"""connectors.yaml: read and checked. No function needs it, and the Lambda bundle leaves it out."""
