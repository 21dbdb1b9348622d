"""The commands of `docferry`, one module each."""
