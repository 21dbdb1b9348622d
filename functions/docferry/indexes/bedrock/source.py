"""Whether a data source of Bedrock is one that documents can be sent to as a connector says. Pure."""

from typing import Any

from docferry.errors import ConfigurationError

MANAGED = "MANAGED_KNOWLEDGE_BASE_CONNECTOR"


def kind(source: dict[str, Any]) -> str:
    """The type of a data source; of one in a managed knowledge base, that of its connector."""
    configured = source["dataSourceConfiguration"]
    return str(_parameters(configured).get("type") if configured["type"] == MANAGED else configured["type"])


def has_access_control(source: dict[str, Any]) -> bool:
    """Whether the documents of a data source have access control. With a vector store, they never have."""
    return bool(_parameters(source["dataSourceConfiguration"]).get("aclEnabled", False))


def problem(source: dict[str, Any], *, acl: bool) -> tuple[str, str] | None:
    """What is wrong with a data source for a connector with this ``acl``, and the cure; None when nothing is."""
    if kind(source) != "CUSTOM":
        return (
            f"the data source is of type {kind(source)}, which takes its documents from elsewhere",
            "create one of type CUSTOM, and give the connector its index.data_source_id",
        )
    has = has_access_control(source)
    if has == acl:
        return None
    return (
        f"the data source has {'' if has else 'no '}access control (aclEnabled), and index.acl says otherwise",
        f"say acl: {str(has).lower()}, or name another data source",
    )


def check(source: dict[str, Any], *, acl: bool) -> None:
    """Raise ConfigurationError when documents must not be sent to a data source."""
    if found := problem(source, acl=acl):
        raise ConfigurationError(f"{source['dataSourceId']}: {found[0]}: {found[1]}. Nothing was sent")


def _parameters(configured: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = (configured.get("managedKnowledgeBaseConnectorConfiguration") or {}).get(
        "connectorParameters"
    ) or {}
    return parameters
