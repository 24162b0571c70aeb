//! Options for what others say in clear.

/// What is shown of protocols that anybody can read.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct ClearArguments {
    /// Print passwords, cookies, names and texts that were found in clear. Without it only what they are,
    /// how long, and where.
    #[arg(long)]
    pub(super) show_secrets: bool,
}
