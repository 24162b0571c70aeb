//! Exit codes: the same table stands in every `--help` and in the README.

/// Done.
pub const DONE: u8 = 0;
/// It did not work; the sentence on stderr says why.
pub const FAILURE: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// An operator removed us.
pub const REMOVED: u8 = 3;
/// The hub's key is not the one we know.
pub const KEY_CHANGED: u8 = 4;
/// The name belongs to someone else.
pub const NAME_TAKEN: u8 = 5;
/// Interrupted by the person.
pub const INTERRUPTED: u8 = 130;

/// The table, as a literal: help texts are put together from it at compile time.
macro_rules! table {
    () => {
        "\
Exit codes:
  0    done: everything was stored by the hub
  1    failure: the sentence on stderr says why
  2    the command line makes no sense
  3    removed by an operator
  4    the hub's key is not the one pinned
  5    the name belongs to someone else
  130  interrupted"
    };
}
pub(crate) use table;
