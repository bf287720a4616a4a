"""Several surveys as one: objects of the first, with what the others observed of them."""
