"""Whether a scorer underrates unusual responses at equal true quality, and whether the data can tell."""
