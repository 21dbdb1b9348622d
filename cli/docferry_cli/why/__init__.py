"""Why a document is found, or is not: what `docferry why` asks, part by part. Each part may fail alone."""
