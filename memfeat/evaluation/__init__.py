"""The jobs on a filled store: fit and judge a model, judge it elsewhere, predict new files, print results."""
