"""Our side put together: settings, books and equipment. Nothing else chooses adapters."""
