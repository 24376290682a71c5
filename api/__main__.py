"""``python -m api`` is ``takewatch``."""

from api.cli import main

if __name__ == "__main__":
    main(prog_name="takewatch")
