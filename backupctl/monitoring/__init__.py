"""Judge the backup histories of appliances: pure functions, without requests and without a clock."""
