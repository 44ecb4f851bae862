"""The extraction job: from a dataset to a store, on one machine or many, interrupted or not."""
