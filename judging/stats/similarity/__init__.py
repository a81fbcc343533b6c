"""Similarity of responses, homogeneity of pools, unusualness, and human similarity against embeddings."""
