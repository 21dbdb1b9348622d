"""Settings: what a function is told by its environment, and what it says when that is wrong."""

import pytest
from msgspec import structs

from docferry.connector import Connector, DeleteGuard, Part
from docferry.errors import ConfigurationError
from docferry.runtime.settings import CONNECTOR, STATE_BUCKET, Settings

SETTINGS = Settings(
    "docferry-handbook-state",
    Connector(
        "handbook",
        Part("s3", {"bucket": "docs", "include": ["**/*.md"], "deep": {"n": 1}}),
        Part("kendra", {"index_id": "x"}),
        DeleteGuard(documents=5, percent=50),
    ),
)
ENV = SETTINGS.to_env()


def test_settings_survive_the_environment() -> None:
    """What the stack writes is what the function reads."""
    assert Settings.from_env(ENV) == SETTINGS


def test_a_topic_for_messages_survives_too() -> None:
    """Most functions have none."""
    settings = structs.replace(SETTINGS, topic="arn:aws:sns:eu-west-1:123456789012:operations")

    assert Settings.from_env(settings.to_env()) == settings
    assert len(settings.to_env()) == len(ENV) + 1


def test_other_variables_do_not_matter() -> None:
    """Lambda has many of its own."""
    assert Settings.from_env({**ENV, "AWS_REGION": "eu-west-1"}) == SETTINGS


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("name", [STATE_BUCKET, CONNECTOR])
def test_a_variable_that_is_missing_or_empty_is_named(*, name: str, empty: bool) -> None:
    """An empty variable is a missing one."""
    env = {key: value for key, value in ENV.items() if key != name} | ({name: ""} if empty else {})

    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        Settings.from_env(env)


@pytest.mark.parametrize(
    "connector",
    [
        "{",
        "[]",
        "null",
        '{"name": "x"}',
        '{"name": 1, "source": {"kind": "s3"}, "index": {"kind": "kendra"}}',
        '{"name": "x", "source": {}, "index": {"kind": "kendra"}}',
        '{"name": "x", "source": {"kind": "s3"}, "index": {"kind": "kendra"}, "deletes": {"percent": 101}}',
        '{"name": "x", "source": {"kind": "s3"}, "index": {"kind": "kendra"}, "deletes": {"percents": 10}}',
    ],
)
def test_a_bad_connector_is_refused(connector: str) -> None:
    """Nothing of it is guessed."""
    with pytest.raises(ConfigurationError, match="CONNECTOR is not a connector: "):
        Settings.from_env({**ENV, CONNECTOR: connector})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """One deployment mends it all."""
    with pytest.raises(ConfigurationError, match=r"STATE_BUCKET is not set; CONNECTOR is not set"):
        Settings.from_env({})
    with pytest.raises(ConfigurationError, match=r"STATE_BUCKET is not set; CONNECTOR is not a connector"):
        Settings.from_env({CONNECTOR: "{"})
