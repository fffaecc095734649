"""The office's pages: the close, and what staff look up and decide."""
