"""What can be decided from the channels' magnitudes alone: their phases decide who interferes with whom."""
