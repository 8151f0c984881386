"""What people see. The only importer of rich, itself imported only when people look."""
