"""Secrets of a source: the settings name them, and only the source itself reads them."""

import os

from docferry.errors import ConfigurationError
from docferry.registry import Clients

ENVIRONMENT = "env:"
ARN = "arn:"


def resolve(reference: str, clients: Clients) -> str:
    """The secret behind an ARN of Secrets Manager, or behind ``env:NAME``, a variable of this process.

    Raises ConfigurationError, which names the reference and never the secret.
    """
    if reference.startswith(ENVIRONMENT):
        name = reference.removeprefix(ENVIRONMENT)
        if not os.environ.get(name):
            raise ConfigurationError(f"the environment variable {name} is not set, which {reference} names")
        return os.environ[name]
    if not reference.startswith(ARN):
        raise ConfigurationError(
            "a secret is named by its ARN of Secrets Manager, or on a laptop by env:NAME; this one is written out"
        )
    client = clients("secretsmanager")
    try:
        reply = client.get_secret_value(SecretId=reference)
    except client.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        raise ConfigurationError(
            f"the secret {reference} cannot be read ({code}): see that it exists here, and that its key, if it has one "
            "of your own, lets this role decrypt"
        ) from error
    secret: str | None = reply.get("SecretString")
    if secret is None:
        raise ConfigurationError(f"the secret {reference} holds bytes; store a text")
    return secret
