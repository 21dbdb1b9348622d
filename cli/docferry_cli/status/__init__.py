"""`docferry status`: what is known of each connector, what is wrong with it, and what to do next."""
