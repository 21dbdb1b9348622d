"""The URLs at which moto finds the service."""

from typing import Any

from moto.bedrockagent.responses import AgentsforBedrockResponse

from docferry_emulators.bedrock.responses import BedrockAgentResponse, BedrockAgentRuntimeResponse
from docferry_emulators.bedrock.routing import AGENT, RUNTIME, service_at

RESPONSES = {AGENT: BedrockAgentResponse, RUNTIME: BedrockAgentRuntimeResponse}


def answer(request: Any, full_url: str, headers: Any) -> Any:
    """Answer a request about knowledge bases; hand any other to moto, which has the agents."""
    host = request.host.partition(".")[0].removesuffix("-fips")
    service = service_at(host, request.method, request.raw_path)
    response = AgentsforBedrockResponse if service is None else RESPONSES[service]
    return response.dispatch(request, full_url, headers)


url_bases = [r"https?://bedrock-agent(?:-runtime)?(?:-fips)?\.(?:[^./]+)\.(?:amazonaws\.com|api\.aws)"]
url_paths = {"{0}/.*$": answer, "{0}/$": answer}
