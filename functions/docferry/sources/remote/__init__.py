"""Files that a library of the fsspec family reads: on servers, in buckets, in Git, in archives."""
