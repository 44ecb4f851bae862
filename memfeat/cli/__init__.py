"""The command line: each module parses arguments, calls one function and prints."""
