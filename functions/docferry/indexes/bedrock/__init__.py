"""Amazon Bedrock Knowledge Bases: an index whose service has neither sync jobs nor groups."""
