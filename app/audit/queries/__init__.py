"""The SQL of the trail, by what is done with it."""
