//! Pages of the handbook that are made from the code: the distributions, and the expressions.

mod distributions;
mod expressions;

pub use distributions::distributions;
pub use expressions::expressions;
