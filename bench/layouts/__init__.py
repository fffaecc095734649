"""Made-up bulk files of many layouts, whose pages are known: do they go where they belong?"""
