"""The splitter: one bulk PDF in, one verified bill document an account out."""
