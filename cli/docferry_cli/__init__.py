"""The `docferry` command."""
