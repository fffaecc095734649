"""The splitter beside its peers, on made-up bulk files."""
