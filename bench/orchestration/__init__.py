"""What Prefect adds to a close."""
