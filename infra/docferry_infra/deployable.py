"""Which connectors of connectors.yaml can be deployed, and what is missing where one cannot."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from docferry.config.connectors import describe
from docferry.config.deployment import Deploy, Described, for_laptop
from docferry.errors import ConfigurationError
from docferry.indexes import service
from docferry.sources.remote.extras import BUILT_IN, EXTRAS, protocols
from docferry.sources.secrets import ENVIRONMENT
from docferry_infra.indexes import resources


def deployable(path: str | Path) -> dict[str, Described]:
    """The connectors to deploy: all but those for the laptop, which name no index and have no ``deploy`` part.

    Raises ConfigurationError with everything that is wrong with the file, or with a connector for AWS.
    """
    connectors = {name: described for name, described in describe(path).items() if not for_laptop(described)}
    problems = [
        f"connectors.{name}.{problem}" for name, described in connectors.items() for problem in missing(described)
    ]
    if problems:
        raise ConfigurationError("\n  ".join([f"{path} cannot be deployed:", *problems]))
    if not connectors:
        raise ConfigurationError(
            f"{path} has no connector to deploy: give one the ids of an index, or a deploy part with create: true"
        )
    return connectors


def missing(described: Described) -> Iterator[str]:
    """What a connector lacks to be deployed, each with its path below the connector."""
    index, source, deploy = described.connector.index, described.connector.source, described.deploy or Deploy()
    given = {name: index.settings.get(name) for name in service(index.kind).ids}
    if not deploy.create:
        for name in (name for name, value in given.items() if value is None):
            yield f"index.{name}: is required to deploy, or deploy.create: true to make it"
    yield from _misplaced(given, deploy, index.kind)
    if source.kind == "files":
        yield from _unmounted("source.path", str(source.settings["path"]), deploy)
    if source.kind == "fsspec":
        yield from _unbundled(source.settings, deploy)
    for place in on_laptop(source.settings, "source"):
        yield f"{place}: env: names a variable of this machine; to deploy, give the ARN of a secret of Secrets Manager"
    groups = described.connector.groups
    if groups and groups.file and not groups.file.startswith("s3://"):
        yield from _unmounted("groups.file", groups.file, deploy)
    if deploy.uploads and source.kind != "s3":
        yield f"deploy.uploads: a source of kind {source.kind} has no bucket that tells of uploads; leave it out"
    if deploy.mount and not deploy.vpc:
        yield "deploy.vpc: is required with deploy.mount: a file system is reached through its VPC"


def on_laptop(value: Any, place: str) -> Iterator[str]:
    """The places of settings that refer to a variable of this machine."""
    if isinstance(value, str) and value.startswith(ENVIRONMENT):
        yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from on_laptop(inner, f"{place}[{name}]" if isinstance(name, int) else f"{place}.{name}")


def _misplaced(given: dict[str, Any], deploy: Deploy, kind: str) -> Iterator[str]:
    for outer, inner in pairwise(given):
        if given[inner] and given[outer] is None:
            yield f"index.{outer}: is required with index.{inner}, which is in it"
    yield from resources(kind).problems(given, deploy)
    editions = service(kind).editions
    if deploy.edition and deploy.edition not in editions:
        allowed = f"allowed: {', '.join(editions)}" if editions else "it has none, so leave it out"
        yield f"deploy.edition: {deploy.edition!r} is none of {kind}; {allowed}"


def _unbundled(settings: dict[str, Any], deploy: Deploy) -> Iterator[str]:
    """What a function does not have of what an fsspec source needs: libraries, and files of this machine."""
    for protocol in (one for one in protocols(settings) if one not in EXTRAS and one not in BUILT_IN):
        yield f"source.protocol: the bundle has no library for {protocol}; it has those of {', '.join(sorted(EXTRAS))}"
    options = settings.get("options") or {}
    name = "path" if settings["protocol"] == "git" else "fo"
    place = str(options.get(name, ""))
    if settings["protocol"] in {"git", "tar", "zip"} and "://" not in place and "target_protocol" not in options:
        yield from _unmounted(f"source.options.{name}", place, deploy)


def _unmounted(setting: str, path: str, deploy: Deploy) -> Iterator[str]:
    if deploy.mount is None:
        cure = "use another kind of source" if setting.startswith("source.") else "put the file on S3"
        yield f"{setting}: a function has no folder {path}: give deploy.mount, or {cure}"
    elif not f"{path}/".startswith(f"{deploy.mount.path}/"):
        yield f"{setting}: {path} is not below deploy.mount.path, {deploy.mount.path}"
