"""What a workspace keeps besides its runs: seen, checked and removed."""
