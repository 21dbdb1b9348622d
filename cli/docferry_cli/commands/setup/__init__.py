"""What a person does before and around a sync: projects, sources, stacks, emulators."""
