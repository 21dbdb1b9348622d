"""The laptop's AWS: moto with emulators of Kendra and Q Business, and the code that runs the workflow on it."""
