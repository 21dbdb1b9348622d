"""Messages to people and programs: a run failed, held something back, or all is well again."""
