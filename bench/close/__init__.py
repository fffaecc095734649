"""The whole close, step by step, beside what its rows and bytes cost at least."""
