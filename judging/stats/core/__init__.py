"""What all statistics share: estimates with intervals, counts, samples, weights, many tests."""
