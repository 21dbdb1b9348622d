"""Synthesizes stacks on a laptop: runs the same program as for AWS, in a separate process."""

import io
import os
import subprocess
import sys
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import boto3
import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from docferry.connector import stack_name
from docferry.errors import ConfigurationError

PROGRAM = ("-m", "docferry_infra.app")
"""The arguments of Python that start the synthesis. It runs in a separate process, which starts Node."""


STACK = "aws:cloudformation:stack"
"""The type of a stack in an assembly's ``manifest.json``."""


class Source(Struct, frozen=True):
    """The content of an asset: a path below the assembly, and whether it is packed."""

    path: str
    packaging: str


class Destination(Struct, frozen=True, rename="camel"):
    """The place in S3 for an asset."""

    bucket_name: str
    object_key: str


class Asset(Struct, frozen=True):
    """One file or folder that a stack needs."""

    source: Source
    destinations: dict[str, Destination]


class Manifest(Struct, frozen=True):
    """The content of ``<stack>.assets.json``, as the CDK writes it."""

    files: dict[str, Asset]


class _Artifact(Struct, frozen=True):
    type: str


class _CloudAssembly(Struct, frozen=True):
    artifacts: dict[str, _Artifact]


class Assembly(Struct, frozen=True):
    """A synthesized assembly in a folder."""

    folder: Path

    def connectors(self) -> list[str]:
        """Return the connectors that were synthesized. Those that work only on a laptop are left out."""
        # The folder may also hold templates from earlier syntheses.
        made = msgspec.json.decode((self.folder / "manifest.json").read_bytes(), type=_CloudAssembly).artifacts
        return sorted(name.removeprefix(stack_name("")) for name, one in made.items() if one.type == STACK)

    def file(self, connector: str) -> Path:
        """Return the template of a connector. Raises ConfigurationError when it was not synthesized."""
        made = self.connectors()
        if connector not in made:
            raise ConfigurationError(
                f"{connector} was not synthesized; there are: {', '.join(made)}. A connector can be deployed when it "
                "names the ids of its index, or has a deploy part"
            )
        return self.folder / f"{stack_name(connector)}.template.json"

    def publish(self, stack: str, account: str, region: str) -> None:
        """Upload the assets of a stack to the places where its template looks for them. Existing assets stay."""
        s3: Any = boto3.client("s3")
        manifest = msgspec.json.decode((self.folder / f"{stack}.assets.json").read_bytes(), type=Manifest)
        for asset in manifest.files.values():
            for destination in asset.destinations.values():
                bucket = destination.bucket_name.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
                if not _exists(s3, bucket, destination.object_key):
                    path = self.folder / asset.source.path
                    body = zipped(path) if asset.source.packaging == "zip" else path.read_bytes()
                    s3.put_object(Bucket=bucket, Key=destination.object_key, Body=body)


def synthesize(connectors: Path, out: Path, bundle: Literal["lambda", "here"] = "lambda") -> Assembly:
    """Synthesize every connector that can be deployed, with bundles for Lambda or for this machine.

    Raises ConfigurationError.
    """
    ended = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, *PROGRAM],
        env={
            **os.environ,
            "DOCFERRY_CONNECTORS": str(connectors.resolve()),
            "DOCFERRY_BUNDLE": bundle,
            "CDK_OUTDIR": str(out.resolve()),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if "ModuleNotFoundError" in ended.stderr:
        raise ConfigurationError(
            "synthesizing needs more libraries than a sync: pip install 'docferry[deploy]' or, in a checkout, `make "
            f"setup` ({ended.stderr.strip().splitlines()[-1]})"
        )
    if ended.returncode:
        raise ConfigurationError(ended.stderr.strip())
    return Assembly(out)


@lru_cache(maxsize=1)
def zipped(folder: Path) -> bytes:
    """Return the folder of an asset as a zip for Lambda. It is made once for all stacks that need it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, file.read_bytes())
    return packed.getvalue()


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True
