"""What is wrong with a dataset's copy, said before work begins: `memfeat.checking.check.check`."""
