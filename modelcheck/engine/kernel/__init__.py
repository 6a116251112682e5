"""The search loop and what it stores, as machine code specialised for one system."""
