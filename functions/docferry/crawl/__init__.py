"""What a crawl reads: the listing of the source, and the change sets that others hand in."""
