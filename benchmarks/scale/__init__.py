"""A simulated AWS on virtual time: what runs over millions of documents take, call and cost. `make scale`.

The handlers, the definition of the workflow, the adapters of the index and the source are the real ones. S3, Lambda,
Step Functions and the index are simulated, with the latencies, limits and prices of docferry_laptop.costs.
"""
