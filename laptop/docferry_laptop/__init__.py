"""The laptop's AWS: moto with emulators of Kendra and Q Business, and what runs the deployed workflow on it."""
