"""The laptop's AWS: moto, emulators of Kendra, Q Business and Bedrock, and the code that runs the workflow on it."""
