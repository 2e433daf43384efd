"""The teacher: its source, its checks, its training and its proposals for augmentation."""
