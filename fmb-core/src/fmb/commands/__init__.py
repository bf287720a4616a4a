"""Commands: what each subcommand of `fmb` does, one file a command."""
