"""Human similarity judgments against embedding similarity."""
