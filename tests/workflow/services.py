"""Which services a test is for, when it is about something that not all of them have."""

import pytest

SYNC_JOBS = pytest.mark.parametrize("kind", ["kendra", "qbusiness"])
"""For sync jobs of the service: those of others, and what their metrics tell late. A knowledge base has none."""

PUBLIC = pytest.mark.parametrize("kind", ["kendra", "qbusiness"])
"""For documents with and without access control side by side: the latter are public.

A knowledge base shows them to nobody, or has no access control at all.
"""
