"""Which requests to Bedrock are about knowledge bases, and so for the emulator. The others are for moto."""

from urllib.parse import unquote

from docferry_emulators.wire.rest_json import matching

SIGNING_NAME = "bedrock"
"""What the signature of a request says, whichever of Bedrock's services it is for."""
AGENT, RUNTIME = "bedrock-agent", "bedrock-agent-runtime"


def service_at(host: str, method: str, path: str) -> str | None:
    """Return the service of the emulator that a request is for; None: moto's.

    ``host`` is the first label of the host, ``path`` the raw path. Behind an endpoint of the user's own the host says
    nothing, so the path decides: no path of a search is one of another service, except those of tags and of agents,
    which are also in the model of ``bedrock-agent``.
    """
    if host == RUNTIME:
        return RUNTIME
    parts = path.strip("/").split("/")
    if parts[0] == "tags":
        return AGENT if ":knowledge-base/" in unquote("/".join(parts[1:])) else None
    if host != AGENT and matching(RUNTIME, method, path) and not matching(AGENT, method, path):
        return RUNTIME
    return AGENT if parts[0] == "knowledgebases" else None
