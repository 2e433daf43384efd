"""What runs a stage and records its code; stages compute nothing with it."""
