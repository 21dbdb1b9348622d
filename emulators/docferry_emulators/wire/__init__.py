"""Requests and replies as they travel: read, checked and written by botocore's models."""
