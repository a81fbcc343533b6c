"""A study leaves in the shapes of other tools: made at once or by a worker, downloaded in ranges."""
