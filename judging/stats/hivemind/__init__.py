"""The subset correlations of the Artificial Hivemind paper and their null."""
