"""Why an account got what it got: sentences with rule numbers, read from the books."""
