"""Trees of files as other tools write them: what each says of itself becomes a survey.toml."""
