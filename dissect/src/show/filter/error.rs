//! What is wrong with a filter, and where.

use std::fmt;

use crate::render::sanitise;

/// Characters of the filter that are shown on each side of the mistake.
const SHOWN: usize = 60;

/// A filter that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct FilterError {
    /// The filter.
    filter: String,
    /// Place of the mistake, in characters from 1.
    pub(crate) column: usize,
    /// What is wrong, and the way out.
    pub(crate) text: String,
}

impl FilterError {
    pub(super) fn new(filter: &str, column: usize, text: impl Into<String>) -> Self {
        Self { filter: filter.to_owned(), column, text: text.into() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.column.saturating_sub(1);
        let start = before.saturating_sub(SHOWN);
        let pick = |from: usize, len: usize| -> String {
            sanitise(&self.filter.chars().skip(from).take(len).collect::<String>())
        };
        let (left, right) = (pick(start, before - start), pick(before, SHOWN));
        let indent = " ".repeat(left.chars().count());
        write!(f, "column {}: {}\n  {left}{right}\n  {indent}^", self.column, self.text)
    }
}
