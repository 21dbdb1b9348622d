"""What has to change in the index: found by comparing, then judged, withheld, approved or quarantined."""
