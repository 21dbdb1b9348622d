"""Docferry: keeps an Amazon Kendra or Amazon Q Business index in step with a document repository."""
