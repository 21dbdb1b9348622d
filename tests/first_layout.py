"""The state bucket as the first versions of Docferry laid it out: one data source, no ledger, no scope."""

import json
from hashlib import sha256
from typing import Any

from docferry.state.keys import LEDGER, MANIFEST, MANIFESTS, SCOPE, SYNC_JOB
from docferry.state.store import Store


def as_first_laid_out(objects: dict[str, bytes], held: str) -> dict[str, bytes]:
    """The objects of a bucket, with those of the data source under ``held`` where they stood at first."""
    moved = {key.removeprefix(held): content for key, content in objects.items()}
    pointer = json.loads(moved[MANIFEST])
    stream = b"".join(objects[part["key"]] for part in json.loads(objects[pointer["key"]]))
    moved = {key: content for key, content in moved.items() if not key.startswith(MANIFESTS)}
    # A manifest was one object, and parts that follow each other are one stream of lines.
    place = f"{pointer['key'].removeprefix(held).rpartition('/')[0]}.jsonl.zst"
    moved[place] = stream
    described = {"format": 1, "key": place, "documents": pointer["documents"], "sha256": sha256(stream).hexdigest()}
    moved[MANIFEST] = _encoded(described)
    record = json.loads(moved[SYNC_JOB])
    moved[SYNC_JOB] = _encoded({name: record.get(name) for name in ("run", "state", "previous", "execution_id")})
    return {key: content for key, content in moved.items() if key not in {SCOPE, LEDGER}}


def lay_out_as_at_first(store: Store, s3: Any) -> None:
    """Do the same to a bucket."""
    objects = {
        key: s3.get_object(Bucket=store.bucket, Key=key)["Body"].read()
        for key in store.keys("")
        if not key.startswith("runs/")
    }
    store.delete_prefix("")
    for key, content in as_first_laid_out(objects, store.held("")).items():
        store.put_content(key, content)


def _encoded(value: object) -> bytes:
    return json.dumps(value).encode()
