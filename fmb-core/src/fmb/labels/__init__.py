"""What people call objects: given, kept, and held against a survey that changes."""
