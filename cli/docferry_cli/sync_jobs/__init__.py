"""`docferry history`: the sync jobs of a data source, with the runs that made them."""
