import docferry_infra  # noqa: F401  # puts Node on the path, before CDK is imported
