"""The customers' home page beside the same page in Django and in FastAPI, and beside its floor."""
