//! What a person is told when something does not work: one line of cause, one line of what to do.

use crate::exit;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// A cause, a way out, and an exit code.
#[derive(Debug)]
pub struct Failure {
    cause: String,
    advice: Option<String>,
    code: u8,
}

impl Failure {
    /// Something did not work.
    #[must_use]
    pub fn new(cause: impl fmt::Display) -> Self {
        Self { cause: cause.to_string(), advice: None, code: exit::FAILURE }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl fmt::Display) -> Self {
        self.advice = Some(advice.to_string());
        self
    }

    /// The same with another exit code.
    #[must_use]
    pub const fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Cause and way out in one sentence, for a program that goes on.
    #[must_use]
    pub fn sentence(&self) -> String {
        let advice = self.advice.as_ref().map(|advice| format!("; try {advice}"));
        format!("{}{}", self.cause, advice.unwrap_or_default())
    }

    /// Prints it and gives the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        // Whoever closed stderr does not want to know.
        drop(writeln!(std::io::stderr(), "{self}"));
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node: {}", self.cause)?;
        match &self.advice {
            Some(advice) => write!(f, "\n  try: {advice}"),
            None => Ok(()),
        }
    }
}

/// Names what was being done when an error came.
pub trait Context<T> {
    /// The error as a [`Failure`] that begins with `doing`.
    ///
    /// # Errors
    /// The same error, explained.
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{doing}: {error}")))
    }
}
