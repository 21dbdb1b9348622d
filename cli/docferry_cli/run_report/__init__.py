"""`docferry report`: everything about one run, as text, as JSON, and as a page."""
