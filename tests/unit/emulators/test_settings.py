"""Settings of the emulators, as a command line gives them."""

import pytest

from docferry_emulators import Settings

VALUES = {
    "job_age_limit": ("3600", 3600.0),
    "qbusiness_documents": ("20", 20),
    "kendra_request_bytes": ("null", None),
    "kendra_documents": ('{"DEVELOPER_EDITION": 5}', {"DEVELOPER_EDITION": 5}),
    "metrics_while_syncing": ("final", "final"),
    "qbusiness_search_without_user": ("all", "all"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_is_read_by_its_type(name: str) -> None:
    """Numbers, choices, nothing, and a table as JSON."""
    text, value = VALUES[name]

    assert getattr(Settings.parse([f"{name}={text}"]), name) == value


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_every_setting_takes_its_own_default(name: str) -> None:
    """So a server can be given each of them."""
    default = getattr(Settings(), name)
    text = "null" if default is None else str(default).replace("'", '"')

    assert Settings.parse([f"{name}={text}"]) == Settings()


@pytest.mark.parametrize("given", ["nothing", "no_such=1", "resource_seconds=soon", "kendra_documents={"])
def test_what_is_wrong_is_a_value_error(given: str) -> None:
    """Never another kind of error."""
    with pytest.raises(ValueError, match=r"\w"):
        Settings.parse([given])
