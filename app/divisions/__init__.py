"""The four levels: divisions, units, categories, names; loaded once an edition and kept in memory."""
