"""What `make bench` runs: how fast the server records and answers, beside the engine's own floor."""
