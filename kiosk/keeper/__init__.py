"""Decides which of the two slots a machine's programs start from. It stands outside of both, at
/opt/floorbell/keeper, and an update never touches it; so it needs nothing but Python's own library."""
