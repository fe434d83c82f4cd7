//! The thin binary: everything stands in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    outgrow::cli::main()
}
