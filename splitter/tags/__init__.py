"""The tags of a tagged bulk file: what of its structure tree a bill keeps."""
