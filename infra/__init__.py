"""The AWS side of a connector: one CloudFormation stack, synthesized without an account, Docker or the network."""
