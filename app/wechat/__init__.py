"""The official account: what WeChat sends and what it is answered, sealed and unsealed."""
