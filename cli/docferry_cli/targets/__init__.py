"""Where a command acts: on this machine, on the stack that is deployed on it, or in AWS. One module a target."""

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from docferry.connector import Connector
from docferry.errors import NotDeployed
from docferry_cli import connectors
from docferry_cli.options import CONFIG, HERE, STATE, IndexKind, Target
from docferry_cli.targets.opened import Opened, Startable

__all__ = ["Opened", "Startable", "Where"]


class Where(Struct, frozen=True):
    """Where a command acts. ``state`` is the folder of this machine's targets, ``config`` describes the connectors."""

    target: Target
    state: Path
    config: Path

    def connector(self, name: str | None) -> Connector:
        """The connector that a command is about: on this machine one that was synced, else one of connectors.yaml.

        In AWS it may be one that only its functions know, which are part of somebody's own CDK app. Raises
        ConfigurationError.
        """
        if self.target == "here":
            return connectors.to_ask(self.state, name).connector
        if self.target == "aws" and name is not None and not connectors.describes(self.config, name):
            if (found := self._told(name)) is not None:
                return found
            if not self.config.exists():
                raise NotDeployed(
                    f"there is no {self.config} that describes {name}, and no function of such a connector is seen in "
                    "this account and region: give --config FILE, or correct the name"
                )
        return connectors.to_sync(name, None, None, self.config)

    def _told(self, name: str) -> Connector | None:
        """The connector as its functions say, if they are seen. Beside a connectors.yaml a name may be a slip."""
        from docferry_cli.aws_errors import of_aws
        from docferry_cli.targets import deployed

        try:
            return deployed.told(name)
        except Exception as error:
            if not of_aws(error) or not self.config.exists():
                raise
            return None

    def connectors(self) -> list[Connector]:
        """All connectors of the target: on this machine those that were synced, else those of connectors.yaml.

        Raises ConfigurationError.
        """
        if self.target == "here":
            return [one.connector for one in connectors.synced(self.state)]
        from docferry.config.connectors import load_connectors

        return list(load_connectors(self.config).values())

    @contextmanager
    def look(self, name: str | None, index: IndexKind | None = None) -> Iterator[Opened]:
        """Open a connector to look at it; ``here`` starts nothing of the workflow. Raises ConfigurationError.

        ``index`` chooses, on this machine and without a name, the last connector that was synced into that service.
        """
        if self.target == "here":
            from docferry_cli.targets import here

            with here.look(self.state, connectors.to_ask(self.state, name, index)) as opened:
                yield opened
        else:
            with self.run(connectors.of_kind(self.connector(name), index, self.config)) as startable:
                yield startable

    @contextmanager
    def see(self) -> Iterator[Callable[[Connector], Opened]]:
        """Open the target once, and give what opens each of its connectors, to look at it.

        On this machine that works beside another process, too, which may run a sync there. Raises ConfigurationError.
        """
        if self.target == "here":
            from docferry_cli.targets import here

            with here.see(self.state) as opened:
                yield opened
        elif self.target == "stack":
            from docferry_cli.targets import stack

            with stack.see(self.state) as opened:
                yield opened
        else:
            from docferry_cli.targets import aws

            yield aws.opened

    @contextmanager
    def look_beside(self, name: str | None) -> Iterator[Opened]:
        """Open a connector to look at it, as ``see`` does. Raises ConfigurationError."""
        connector = self.connector(name)
        with self.see() as opened:
            yield opened(connector)

    def command(self, *words: str) -> str:
        """Return the command that does something else at the same place, for a person to type."""
        options: list[str] = []
        if self.target != HERE or "DOCFERRY_TARGET" in os.environ:
            options += ["--target", self.target]
        if self.target != HERE and self.config != CONFIG:
            options += ["--config", str(self.config)]
        if self.target != "aws" and self.state != STATE and "DOCFERRY_STATE" not in os.environ:
            options += ["--state", str(self.state)]
        return shlex.join(["docferry", *words, *options])

    @contextmanager
    def run(self, connector: Connector) -> Iterator[Startable]:
        """Open a connector whose state machine can be started. Raises ConfigurationError when it is not deployed."""
        with self.run_beside(connector) as (startable, _):
            yield startable

    @contextmanager
    def run_beside(self, connector: Connector) -> Iterator[tuple[Startable, Callable[[Connector], Opened]]]:
        """Open a connector as ``run`` does, and give what opens the others of the target, to look at them.

        Both raise ConfigurationError for a connector that is not there.
        """
        if self.target == "here":
            from docferry_cli.targets import here

            with here.run(self.state, connector) as opened:
                yield opened
        elif self.target == "stack":
            from docferry_cli.targets import stack

            with stack.run(self.state, connector) as opened:
                yield opened
        else:
            from docferry_cli.targets import aws

            yield aws.opened(connector), aws.opened
