"""`docferry doctor`: looks at everything that a connector needs to run. The checks are data, each in a function."""
