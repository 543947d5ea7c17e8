"""Events in: decoded, committed, receipted, and turned into interactions."""
