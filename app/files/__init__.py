"""Photos and recordings: checked by what they are, cleaned, kept by digest, given to whoever may see their ticket."""
