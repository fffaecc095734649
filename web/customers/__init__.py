"""The customers' portal: its pages, by subject."""
