"""Messages: what a user is told: errors, notes, how far work is."""
