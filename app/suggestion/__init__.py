"""Which category a text is about: the keyword table, or a model that the county has trained on its own tickets."""
