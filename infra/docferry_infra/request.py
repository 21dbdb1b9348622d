"""What a synthesis is asked for, read without CDK: a bad configuration is told before Node has started."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from msgspec import Struct

from docferry.config.deployment import Described
from docferry.errors import ConfigurationError
from docferry_infra.deployable import deployable
from docferry_infra.wheels import LAMBDA, Target, here

BUNDLES = {"lambda": LAMBDA, "here": here()}


class Request(Struct, frozen=True):
    """The connectors to synthesize, what their bundles run on, and the folder that the assembly goes to."""

    connectors: dict[str, Described]
    target: Target
    out: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, config: Path, out: Path) -> Self:
        """Read the environment, and CDK's context in it; ``config`` and ``out`` are what they are by default.

        Raises ConfigurationError with everything that is wrong.
        """
        context = json.loads(env.get("CDK_CONTEXT_JSON") or "{}")
        bundle = context.get("bundle") or env.get("DOCFERRY_BUNDLE") or "lambda"
        if bundle not in BUNDLES:
            raise ConfigurationError(f"there is no bundle {bundle!r}; there are: {', '.join(BUNDLES)}")
        connectors = deployable(context.get("connectors") or env.get("DOCFERRY_CONNECTORS") or config)
        return cls(connectors, BUNDLES[bundle], Path(env.get("CDK_OUTDIR") or out))
