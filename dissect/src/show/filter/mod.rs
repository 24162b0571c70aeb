//! Filters over named fields: the language of tshark's `-Y`.
//!
//! ```text
//! expression  = conjunction { ("or" | "||") conjunction }
//! conjunction = negation { ("and" | "&&") negation }
//! negation    = ("not" | "!") negation | "(" expression ")" | test
//! test        = operand [ comparison (literal | operand) | "contains" literal | "matches" string
//!               | ["not"] "in" "{" { literal [ ".." literal ] } "}" ]
//! operand     = field [ "[" slice { "," slice } "]" ] | ("len" | "count" | "lower" | "upper") "(" field ")"
//! slice       = offset | offset ":" [length] | ":" length | offset "-" last
//! comparison  = "==" | "!=" | "<" | "<=" | ">" | ">=" | "===" | "!==" and their words eq ne lt le gt ge
//! ```
//!
//! A field may occur several times in a packet. As in tshark 4, `==` and the orders hold when any value does, `!=`
//! when every value differs; `===` is every, `!==` any. A field without an operator holds when it is there.
//! `matches` does not tell upper from lower case, and takes linear time.

mod error;
mod eval;
mod lexer;
mod literal;
mod parser;
mod slice;
#[cfg(test)]
mod tests;

use regex::bytes::Regex;

use literal::Literal;
use slice::Slice;

use super::field::Field;
use super::value::Kind;

/// A filter that is ready to be asked.
#[derive(Debug)]
pub(crate) struct Filter(Expression);

#[derive(Debug)]
enum Expression {
    Every(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

#[derive(Debug)]
enum Test {
    Present(Operand),
    Compare(Operand, Comparison, Right),
    In(Operand, Vec<(Literal, Literal)>),
    Contains(Operand, Vec<u8>),
    Matches(Operand, Regex),
}

/// What stands on the right of a comparison.
#[derive(Debug)]
enum Right {
    Literal(Literal),
    Operand(Operand),
}

/// A field, or what is made of it.
#[derive(Debug)]
struct Operand {
    field: &'static Field,
    part: Part,
}

#[derive(Debug)]
enum Part {
    Whole,
    Slices(Vec<Slice>),
    Length,
    Count,
    Lower,
    Upper,
}

impl Operand {
    /// What its values are.
    fn kind(&self) -> Kind {
        match self.part {
            Part::Whole => self.field.kind,
            Part::Slices(_) => Kind::Bytes,
            Part::Length | Part::Count => Kind::Unsigned,
            Part::Lower | Part::Upper => Kind::Text,
        }
    }
}

/// A comparison, and of how many values it has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    AnyEqual,
    EveryUnequal,
    EveryEqual,
    AnyUnequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
