"""How a document is described, the same for every source: type, content, sidecar, access control, patterns of paths."""
