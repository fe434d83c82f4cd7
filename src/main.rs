//! The thin binary: everything stands in the library.
fn main() {}
