"""What the checks look at: the connector, and the place where it runs, opened when a check first needs it."""

from contextlib import ExitStack
from functools import cached_property
from typing import Any

import msgspec
from msgspec import structs

from docferry.connector import Connector, Part, stack_name
from docferry.indexes import service
from docferry.indexes.service import Service
from docferry.runtime import wiring
from docferry.runtime.settings import CONNECTOR
from docferry.state.store import Store
from docferry_cli import connectors
from docferry_cli.options import Target
from docferry_cli.targets import Opened, Where, deployed


class Blocked(Exception):  # noqa: N818  # named after what happened
    """A check cannot look, because something before it has failed. The text says what."""


class Context:
    """One connector at its target. What is asked for more than once is asked once."""

    def __init__(self, where: Where, connector: Connector, opening: ExitStack) -> None:
        self.where = where
        self.connector = connector
        self._opening = opening
        self._opened: Opened | None = None
        self._failed = False

    @property
    def target(self) -> Target:
        """Where the connector runs."""
        return self.where.target

    @property
    def service(self) -> Service:
        """The index service."""
        return service(self.connector.index.kind)

    def open(self) -> Opened:
        """Open the connector where it runs. Raises what keeps it from being opened, and Blocked the next time."""
        if self._failed:
            raise Blocked("the connector could not be opened")
        if self._opened is None:
            self._failed = True
            here = self.target == "here"
            opening = self.where.look(self.connector.name) if here else self.where.run(self.connector)
            self._opened = self._opening.enter_context(opening)
            self._failed = False
        return self._opened

    @property
    def store(self) -> Store:
        """The state bucket. Raises as ``open``."""
        return self.open().store

    @property
    def index(self) -> Part:
        """The index with its ids. Raises as ``open``."""
        return self.open().part

    @property
    def declares(self) -> bool:
        """Whether a run declares the fields that the index lacks."""
        return bool(self.index.settings.get("declare"))

    @cached_property
    def in_vpc(self) -> bool:
        """Whether the functions reach the source from a VPC, in which this command need not be."""
        if self.target != "aws":
            return False
        from docferry.config.connectors import describe

        if not connectors.describes(self.where.config, self.connector.name):
            return bool(self.function("crawl").get("VpcConfig", {}).get("VpcId"))
        deploy = describe(self.where.config)[self.connector.name].deploy
        return deploy is not None and deploy.vpc is not None

    def client(self, name: str) -> Any:
        """The boto3 client of a service, at the target. Raises as ``open``."""
        self.open()
        return wiring.client(name)

    @cached_property
    def stack(self) -> dict[str, Any] | None:
        """The connector's own stack, as DescribeStacks says. None: it is part of the stack of somebody's app."""
        self.open()
        return deployed.stack(self.stack_name)

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        return {one["OutputKey"]: one["OutputValue"] for one in (self.stack or {}).get("Outputs", [])}

    @property
    def stack_name(self) -> str:
        """The name of the connector's stack."""
        return stack_name(self.connector.name)

    def function(self, name: str) -> dict[str, Any]:
        """The configuration of a deployed function."""
        full = f"{self.stack_name}-{name}"
        found: dict[str, Any] = self.client("lambda").get_function_configuration(FunctionName=full)
        return found

    @cached_property
    def content_role(self) -> str | None:
        """The ARN of the role that the service reads content on S3 with, as the functions are told."""
        told = self.function("put_batch")["Environment"]["Variables"].get(CONNECTOR, "")
        arn: str | None = msgspec.json.decode(told, type=Connector).index.settings.get("role_arn")
        return arn

    def deployed(self) -> Connector:
        """The connector with the index that it has at the target."""
        return structs.replace(self.connector, index=self.index)
