"""What people read on a screen: text and tables that fit it, and how far work is."""
