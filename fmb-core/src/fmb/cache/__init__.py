"""What a workspace keeps besides its runs: seen, checked, shared and removed."""
