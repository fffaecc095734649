"""The tables of what an office wants of its checks."""
