"""Every contact with a shopper: its states, its log and its timeline."""
