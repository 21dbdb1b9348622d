"""The change set on its way to the index: cut into shards, batched into requests, sent."""
