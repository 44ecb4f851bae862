"""Networks, losses and their training in torch, which comes with the extra ``deep``."""
