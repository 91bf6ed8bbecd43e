"""The steps from inputs to sky levels; each makes one result from those before it, and none imports another."""
