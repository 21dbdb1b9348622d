"""The emulator of Amazon Kendra: a backend of moto."""

from docferry_emulators.kendra.models import kendra_backends

__all__ = ["kendra_backends"]
