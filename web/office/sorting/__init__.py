"""The pages of a bulk file that belong to nobody: looked at as pictures, given to an account."""
