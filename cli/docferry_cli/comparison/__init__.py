"""What two indexes with the same documents find for the same queries."""
