"""The emulator of Amazon Bedrock Knowledge Bases: a backend of moto, beside moto's own for the rest of Bedrock."""

from docferry_emulators.bedrock.models import bedrockknowledgebases_backends

__all__ = ["bedrockknowledgebases_backends"]
