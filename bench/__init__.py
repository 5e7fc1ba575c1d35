"""Speed beside the floors: `python -m bench`. Every figure that counts is a ratio measured in one run."""
