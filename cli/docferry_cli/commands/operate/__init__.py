"""What tells how it is: one question a command."""
