"""What the commands of the command line do; `cli` only names them."""
