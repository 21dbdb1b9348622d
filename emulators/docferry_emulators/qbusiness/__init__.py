"""The emulator of Amazon Q Business: a backend of moto."""

from docferry_emulators.qbusiness.models import qbusiness_backends

__all__ = ["qbusiness_backends"]
