"""The office's decisions: values in, values out."""
