"""What the library is put through that takes too long for every test run: `make torture`."""
