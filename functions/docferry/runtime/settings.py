"""What a function is told by its environment."""

from collections.abc import Mapping
from typing import Self

import msgspec
from msgspec import Struct

from docferry.connector import Connector
from docferry.errors import ConfigurationError

STATE_BUCKET = "STATE_BUCKET"
CONNECTOR = "CONNECTOR"
MESSAGES_TOPIC = "MESSAGES_TOPIC"


class Settings(Struct, frozen=True):
    """The settings every function has. ``topic`` is the ARN of the topic for messages, empty without one."""

    state_bucket: str
    connector: Connector
    topic: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read ``STATE_BUCKET``, ``CONNECTOR`` (JSON) and ``MESSAGES_TOPIC``, which may be missing.

        Raises ConfigurationError, which names all that is wrong.
        """
        problems = [f"{name} is not set" for name in (STATE_BUCKET, CONNECTOR) if not env.get(name)]
        connector = None
        if env.get(CONNECTOR):
            try:
                connector = msgspec.json.decode(env[CONNECTOR], type=Connector)
            except msgspec.DecodeError as error:
                problems.append(f"{CONNECTOR} is not a connector: {error}")
        if problems or connector is None:
            raise ConfigurationError(f"the function's environment is wrong: {'; '.join(problems)}; deploy it again")
        return cls(env[STATE_BUCKET], connector, env.get(MESSAGES_TOPIC, ""))

    def to_env(self) -> dict[str, str]:
        """The environment that ``from_env`` reads back as these settings."""
        topic = {MESSAGES_TOPIC: self.topic} if self.topic else {}
        return {STATE_BUCKET: self.state_bucket, CONNECTOR: msgspec.json.encode(self.connector).decode(), **topic}
