"""What the application can say of a study, one folder a result."""
