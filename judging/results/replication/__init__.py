"""The Artificial Hivemind's subset correlations, beside what selection alone gives."""
