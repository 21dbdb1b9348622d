"""Docferry: keeps an Amazon Kendra, Q Business or Bedrock index in step with a document repository."""
