"""The states of the workflow: one module and one function each, called by the Lambda handler of the same name."""
