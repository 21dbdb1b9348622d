"""The laptop's AWS: moto with emulators of Kendra, Q Business and Bedrock, and the code that runs the workflow on it."""
