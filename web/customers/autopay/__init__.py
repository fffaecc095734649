"""Autopay on the customers' pages: the wish, the offer in words, the yes, the end."""
