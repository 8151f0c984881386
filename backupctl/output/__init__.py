"""All that is shown: views get values and never call anything."""
