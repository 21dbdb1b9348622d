"""The emulator of Amazon Kendra: a backend of moto."""

from local.emulator.kendra.models import kendra_backends

__all__ = ["kendra_backends"]
