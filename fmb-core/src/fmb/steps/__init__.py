"""What is done: embed, detect, analyze, plot, each going on where it stopped."""
