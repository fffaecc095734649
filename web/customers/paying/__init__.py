"""Pages on which customers and guests pay."""
