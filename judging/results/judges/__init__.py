"""LLM judges tested for consistency: repeats, other wordings, order and length."""
