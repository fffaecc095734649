"""Pages of what is done after a close: one bill corrected, a close taken back."""
