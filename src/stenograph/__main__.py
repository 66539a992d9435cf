"""`python -m stenograph` is `stenograph`."""

from stenograph.cli import main

if __name__ == "__main__":
    main()
