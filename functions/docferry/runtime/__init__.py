"""What the workflow runs on: settings, clients, the functions of a connector and their handlers."""
