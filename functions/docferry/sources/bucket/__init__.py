"""How a bucket is read: pages of keys, in ranges side by side, and the sidecars between them."""
