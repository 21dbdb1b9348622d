"""Requests and replies on the wire: read, checked and written according to botocore's models."""
