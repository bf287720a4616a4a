"""`python -m fmb`: the command line, for launchers that take modules, such as `torchrun -m`."""

from fmb.cli.app import main

if __name__ == "__main__":
    main(prog_name="fmb")
