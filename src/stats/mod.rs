//! Numbers in, estimates out. Does not know that a simulator exists.
