"""Checks of what runs have left: the lease, the manifest, and the sync jobs of the data source."""

from docferry.runtime.lambdas import DOCUMENTS, outgrown
from docferry.state import manifest
from docferry.state.keys import LEASE
from docferry.sync_job import job, lease
from docferry.sync_job.lease import Lease
from docferry_cli.doctor.context import Context
from docferry_cli.doctor.findings import Ok, Result, Wrong
from docferry_cli.next_steps import NextSteps


def lease_held(context: Context) -> Result:
    """Look whether the run that holds the lease is still running."""
    held = context.store.read(LEASE, Lease)
    if held is None:
        return Ok("free")
    if context.target == "here":
        return Ok(f"held by run {held.value.run}; if that has ended, the next sync takes it over")
    if lease.is_running(context.client("stepfunctions"), held):
        return Ok(f"held by run {held.value.run}, which is running")
    return Wrong(
        f"run {held.value.run} has ended, and still holds the lease",
        f"start a run, which takes the lease over: {_sync(context)}; then look at the log of the janitor function",
    )


def size(context: Context) -> Result:
    """Look whether the connector is about to outgrow its functions."""
    held = manifest.pointer(context.store)
    documents = held.value.documents if held else 0
    grown = outgrown(documents)
    return Wrong(grown) if grown else Ok(f"{documents:,} documents of the {DOCUMENTS:,} that the functions serve")


def sync_jobs(context: Context) -> Result:
    """Look for a job that is open without a run, and for jobs that others have started."""
    opened = context.open()
    found = job.strangers(opened.store, opened.index)
    if found.jobs:
        first = found.jobs[0]
        what = f"{len(found.jobs)} sync jobs were not started by this connector: {first.execution_id} ({first.status})"
        cure = "find the other program that writes to this data source and stop it, or give it a data source of its own"
        return Wrong(what, cure)
    newest = found.newest
    # One that is STOPPING ends by itself.
    if newest is None or newest.status != "SYNCING":
        return Ok(f"none is open, the last one is {newest.status}" if newest else "none yet")
    held = opened.store.read(LEASE, Lease)
    if held is None:
        what = f"sync job {newest.execution_id} is {newest.status}, and no run is at work"
        return Wrong(what, f"start a run, which stops it first: {_sync(context)}")
    return Ok(f"{newest.execution_id} of run {held.value.run} is {newest.status}")


def _sync(context: Context) -> str:
    return f"`{NextSteps(context.where, context.connector).sync()}`"
