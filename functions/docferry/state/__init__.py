"""What the connector keeps on S3: keys, formats, manifest, and the streams between the states of a run."""
