"""The checks, in the order in which a person mends what they find."""

from docferry_cli.doctor.checks import index, permissions, setup, source, stack, state
from docferry_cli.doctor.findings import DEPLOYED, Check

CHECKS = (
    Check("credentials", setup.credentials, frozenset({"aws"})),
    Check("stack", stack.status, DEPLOYED),
    Check("secrets", setup.secrets),
    Check("environment", stack.environment),
    Check("code", stack.code, DEPLOYED),
    Check("index", index.index),
    Check("data source", index.data_source),
    Check("fields", index.fields),
    Check("capacity", index.capacity),
    Check("content role", permissions.trusted, DEPLOYED),
    Check("passing the role", permissions.passable, DEPLOYED),
    Check("reading content", permissions.readable, DEPLOYED),
    Check("source", source.reachable),
    Check("uploads", source.uploads, DEPLOYED),
    Check("size", state.size),
    Check("lease", state.lease_held),
    Check("sync job", state.sync_jobs),
    Check("dead letters", stack.dead_letters, DEPLOYED),
)
"""``configuration`` comes before them: without it there is no connector to look at."""
