"""Run the command line by `python -m compactlm`."""

from compactlm.cli import main

if __name__ == "__main__":
    main()
